package config

import (
	"cmp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

// decode reads a whole configuration within the budget, adding to what was found before; nil nodes are an empty file.
// The Config is nil if there are errors.
func decode(origin Origin, file string, root *yaml.Node, budget int, found diag.List) (*Config, diag.List) {
	d := &decoder{file: file, diags: found, budget: budget}
	c := defaults(origin, file)
	if root != nil && kindOf(root) != nullKind {
		d.config(c, place{key: root, node: root})
	}
	diags := d.diags.Sorted()
	if diags.HasErrors() {
		return nil, diags
	}
	slices.SortStableFunc(d.keys, func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	c.Keys = d.keys
	return c, diags
}

func (d *decoder) config(c *Config, p place) {
	if !d.mapping(p, topLevel()) {
		return
	}
	if f, ok := p.child("builds"); ok {
		c.Sections = d.builds(f)
	}
	if f, ok := p.child("actions"); ok {
		for _, item := range d.list(f, `write a list: "- {on: push, run: name}"`) {
			c.Actions = append(c.Actions, d.action(item))
		}
	}
	if f, ok := p.child("servers"); ok {
		for _, item := range d.list(f, "write a list of servers") {
			c.Servers = append(c.Servers, d.server(item))
		}
	}
	if f, ok := p.child("incrementalizeBuilds"); ok {
		c.Incrementalize = d.incrementalize(f)
	}
	if f, ok := p.child("modules"); ok && d.mapping(f, modulesLevel()) {
		if publish, ok := f.child("publish"); ok {
			c.PublishModules = d.flag(publish)
		}
	}
	if f, ok := p.child("fodChecks"); ok {
		c.FODChecks = d.flag(f)
	}
	if f, ok := p.child("flakeDir"); ok {
		c.FlakeDir, _ = d.text(f, "")
	}
}

func (d *decoder) builds(p place) []Section {
	switch kindOf(p.node) {
	case mappingKind:
		return []Section{d.section(p)}
	case listKind:
		sections := []Section{}
		for _, item := range d.list(p, "") {
			sections = append(sections, d.section(item))
		}
		return sections
	}
	d.wrongType(p, "a mapping or a list of mappings", sectionLevel().hint)
	return nil
}

func (d *decoder) section(p place) Section {
	s := Section{Pos: d.at(p.node), BranchPos: diag.Pos{File: d.file}}
	if !d.mapping(p, sectionLevel()) {
		return s
	}
	if f, ok := p.child("include"); ok {
		s.Include = d.matchers(f, false)
	} else {
		s.Include, s.IncludeIsDefault = defaultInclude(d.file), true
	}
	if f, ok := p.child("exclude"); ok {
		s.Exclude = d.matchers(f, true)
	}
	if f, ok := p.child("branch"); ok {
		if branch, ok := d.text(f, "garnix took one branch; give every branch a build section of its own"); ok {
			s.Branch, s.BranchPos = &branch.Value, branch.Pos
			d.checkBranch(branch)
		}
	}
	return s
}

// checkBranch warns of a name that git allows no branch to have (git-check-ref-format), globs above all.
func (d *decoder) checkBranch(branch Text) {
	name := branch.Value
	hint := "remove the key to build every branch"
	switch short, isRef := strings.CutPrefix(name, "refs/heads/"); {
	case isRef && short != "":
		hint = "write the name alone: " + diag.Excerpt(short)
	case strings.ContainsAny(name, "*?["):
		hint = "garnix compared names as they are; give every branch a build section of its own, or remove the key"
	case name != "" && !strings.ContainsAny(name, " ~^:\\\x7f") && !strings.Contains(name, "..") &&
		!strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }):
		return
	}
	d.diags.Warnf(branch.Pos, "branch-never-matches", hint,
		"no branch is called %s, so this build section never took part", diag.Excerpt(name))
}

func (d *decoder) matchers(p place, exclude bool) []Matcher {
	matchers := []Matcher{}
	hint := `write a list: "- packages.x86_64-linux.*"`
	if kindOf(p.node) == textKind {
		hint = "write a list: [" + diag.Excerpt(p.node.Value) + "]"
	}
	for _, item := range d.list(p, hint) {
		if m, ok := d.matcher(item, exclude); ok {
			matchers = append(matchers, m)
		}
	}
	return matchers
}

func (d *decoder) matcher(p place, exclude bool) (Matcher, bool) {
	text, ok := d.text(p, "write one matcher an item")
	if !ok {
		return Matcher{}, false
	}
	parsed, err := flake.ParseMatcher(text.Value)
	if err != nil {
		d.diags.Errorf(text.Pos, "matcher-parts", partsHint(text.Value, exclude),
			"%s: matcher %s has %s; garnix accepted two or three and refused the whole file otherwise",
			p.name(), diag.Excerpt(text.Value), countParts(text.Value))
		return Matcher{}, false
	}
	m := Matcher{Matcher: parsed, Pos: text.Pos}
	if defect, dead := defectOf(parsed); dead {
		m.Dead = true
		verb := "selects"
		if exclude {
			verb = "excludes"
		}
		d.diags.Warnf(text.Pos, defect.code, defect.hint, "matcher %s %s nothing: %s", diag.Excerpt(text.Value), verb, defect.reason)
	}
	return m, true
}

func (d *decoder) action(p place) Action {
	a := Action{Sandbox: FastStartup}
	if !d.mapping(p, actionLevel()) {
		return a
	}
	if f, ok := d.required(p, "run", "name a flake app to run"); ok {
		run, _ := d.text(f, "name one flake app")
		a.Run, a.RunPos = run.Value, run.Pos
	}
	if f, ok := d.required(p, "on", `add "on: push"`); ok {
		d.choice(f, "push")
	}
	if f, ok := p.child("sandboxType"); ok {
		a.Sandbox = Sandbox(d.choice(f, string(FastStartup), string(SharedResources)))
	}
	if f, ok := p.child("withRepoContents"); ok {
		a.WithRepoContents = d.flag(f).Value
	}
	return a
}

func (d *decoder) incrementalize(p place) Incrementalize {
	var i Incrementalize
	switch kindOf(p.node) {
	case boolKind:
		i.Enabled = d.flag(p).Value
	case mappingKind:
		i.Enabled, i.ExcludeBranches = true, []string{}
		if !d.mapping(p, incrementalizeLevel()) {
			return i
		}
		if f, ok := d.required(p, "excludeBranches", `list the branches under "excludeBranches", or write "incrementalizeBuilds: true"`); ok {
			for _, item := range d.list(f, "write a list of branches") {
				branch, _ := d.text(item, "")
				i.ExcludeBranches = append(i.ExcludeBranches, branch.Value)
			}
		}
	default:
		d.wrongType(p, `a boolean or a mapping with "excludeBranches"`, "write true or false, without quotes")
	}
	return i
}

func (d *decoder) server(p place) Server {
	var s Server
	if !d.mapping(p, serverLevel()) {
		return s
	}
	if f, ok := d.required(p, "configuration", "name one of nixosConfigurations"); ok {
		s.Configuration, _ = d.text(f, "name one of nixosConfigurations")
	}
	if f, ok := d.required(p, "deployment", `add "deployment: {type: on-branch, branch: main}"`); ok {
		s.Deployment = d.deployment(f)
	}
	return s
}

func (d *decoder) deployment(p place) Deployment {
	var t Deployment
	if f, ok := p.child("type"); ok && kindOf(f.node) == textKind {
		t.Type = DeploymentType(f.node.Value)
	}
	if !d.mapping(p, deploymentLevel(t.Type)) {
		return t
	}
	f, ok := d.required(p, "type", `add "type: on-branch" or "type: on-pull-request"`)
	if !ok || d.choice(f, string(OnBranch), string(OnPullRequest)) != string(OnBranch) {
		return t
	}
	t.Machine = "i2x4"
	if f, ok := d.required(p, "branch", "name the branch to deploy from"); ok {
		branch, _ := d.text(f, "garnix took one branch; write a server for each")
		t.Branch = branch.Value
	}
	if f, ok := p.child("machine"); ok {
		t.Machine = d.choice(f, "i2x4", "i4x8", "i8x16", "i16x32")
	}
	if f, ok := p.child("isPrimary"); ok {
		t.IsPrimary = d.flag(f).Value
	}
	return t
}

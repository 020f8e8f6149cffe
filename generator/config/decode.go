package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
)

// decode reads a whole configuration within the budget, adding to what was found before; nil nodes are an empty file.
// The Config is nil if there are errors; then what is known about the matchers is told at once.
func decode(origin Origin, file string, root *yaml.Node, budget int, found diag.List) (*Config, diag.List) {
	d := &decoder{file: file, diags: found, budget: budget}
	c := defaults(origin, file)
	if root != nil && kindOf(root) != nullKind {
		d.config(c, place{key: root, node: root})
	}
	if d.diags.HasErrors() || refused(c.Sections) {
		for _, f := range Findings(c.Sections, nil) {
			if len(f.Places) > 0 { // what holds for all matchers is known only once all are right
				d.diags = append(d.diags, f.Diagnostic)
			}
		}
		return nil, fewer(d.diags.Sorted())
	}
	slices.SortStableFunc(d.keys, func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	c.Keys = d.keys
	return c, fewer(d.diags.Sorted())
}

// particular is what differs between equal problems of several items.
var particular = regexp.MustCompile(`\[[0-9]+\]|, not .*`)

// fewer tells a problem that many items have once, with their number and the next lines.
func fewer(sorted diag.List) diag.List {
	const most = 3
	equal := map[string]diag.List{}
	keyOf := func(d diag.Diagnostic) string {
		return strings.Join([]string{string(d.Severity), d.Code, particular.ReplaceAllString(d.Message, "")}, "\n")
	}
	for _, d := range sorted {
		equal[keyOf(d)] = append(equal[keyOf(d)], d)
	}
	var out diag.List
	for _, d := range sorted {
		all := equal[keyOf(d)]
		switch {
		case len(all) <= most:
			out = append(out, d)
		case d == all[0]:
			d.Message += fmt.Sprintf(" (and %d more like this", len(all)-1)
			if d.Line > 0 {
				d.Message += fmt.Sprintf(", on lines %d, %d, %d and so on", all[1].Line, all[2].Line, all[3].Line)
			}
			d.Message += ")"
			out = append(out, d)
		}
	}
	return out
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
			d.server(item)
			c.Servers++
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
		s.Include = d.matchers(f)
	} else {
		s.Include, s.IncludeIsDefault = defaultInclude(d.file), true
	}
	if f, ok := p.child("exclude"); ok {
		s.Exclude = d.matchers(f)
	}
	if f, ok := p.child("branch"); ok {
		if branch, ok := d.text(f, "garnix took one branch; give every branch a build section of its own"); ok {
			s.Branch, s.BranchPos = &branch.Value, branch.Pos
			if hint := neverBranch(branch.Value); hint != "" {
				d.diags.Warnf(branch.Pos, "branch-never-matches", hint,
					"no branch is called %s, so this build section never took part", diag.Excerpt(branch.Value))
			}
		}
	}
	return s
}

// neverBranch says what to do about a name that git allows no branch to have (git-check-ref-format), globs above all; it
// is "" for a name that a branch can have.
func neverBranch(name string) (hint string) {
	switch short, isRef := strings.CutPrefix(name, "refs/heads/"); {
	case isRef && short != "":
		return "write the name alone: " + diag.Excerpt(short)
	case strings.ContainsAny(name, "*?["):
		return "garnix compared names as they are; give every branch a build section of its own, or remove the key"
	case name == "", strings.ContainsAny(name, " ~^:\\\x7f"), strings.Contains(name, ".."),
		strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }):
		return "remove the key to build every branch"
	}
	return ""
}

func (d *decoder) matchers(p place) []Matcher {
	matchers := []Matcher{}
	hint := `write a list: "- packages.x86_64-linux.*"`
	if kindOf(p.node) == textKind {
		hint = "write a list: [" + diag.Excerpt(p.node.Value) + "]"
	}
	for _, item := range d.list(p, hint) {
		if text, ok := d.text(item, "write one matcher an item"); ok {
			matchers = append(matchers, newMatcher(text.Value, text.Pos))
		}
	}
	return matchers
}

func (d *decoder) action(p place) Action {
	var a Action
	if !d.mapping(p, actionLevel()) {
		return a
	}
	if f, ok := d.required(p, "run", "name a flake app to run"); ok {
		run, _ := d.text(f, "name one flake app")
		a.Run, a.RunPos = run.Value, run.Pos
		if name := appOf(run.Value); name != run.Value {
			d.diags.Warnf(run.Pos, "action-attribute", "write "+diag.Excerpt("run: "+name),
				"garnix took the name of an app and looked for %s", diag.Excerpt(a.Attr().String()))
		}
	}
	if f, ok := d.required(p, "on", `add "on: push"`); ok {
		d.choice(f, "push")
	}
	if f, ok := p.child("sandboxType"); ok {
		d.choice(f, "fast-startup", "shared-resources")
	}
	if f, ok := p.child("withRepoContents"); ok {
		a.WithRepoContents = d.flag(f)
	}
	return a
}

// appOf returns the name of the app that is meant where an attribute or what nix run takes was written for it.
func appOf(run string) string {
	name := strings.TrimPrefix(run, "nix run ")
	if before, after, ok := strings.Cut(name, "#"); ok && strings.Trim(before, "./") == "" {
		name = after
	}
	parts := strings.Split(name, ".")
	families := []string{"apps", "packages", "legacyPackages", "checks", "devShells"}
	if len(parts) > 1 && slices.Contains(families, parts[0]) {
		parts = parts[1:]
	}
	if len(parts) > 1 && looksLikeSystem(parts[0]) {
		parts = parts[1:]
	}
	if name = strings.Join(parts, "."); name == "" {
		return run
	}
	return name
}

func (d *decoder) incrementalize(p place) bool {
	switch kindOf(p.node) {
	case boolKind:
		return d.flag(p)
	case mappingKind:
		if !d.mapping(p, incrementalizeLevel()) {
			return true
		}
		if f, ok := d.required(p, "excludeBranches", `list the branches under "excludeBranches", or write "incrementalizeBuilds: true"`); ok {
			for _, item := range d.list(f, "write a list of branches") {
				d.text(item, "")
			}
		}
		return true
	}
	d.wrongType(p, `a boolean or a mapping with "excludeBranches"`, "write true or false, without quotes")
	return false
}

func (d *decoder) server(p place) {
	if !d.mapping(p, serverLevel()) {
		return
	}
	if f, ok := d.required(p, "configuration", "name one of nixosConfigurations"); ok {
		d.text(f, "name one of nixosConfigurations")
	}
	if f, ok := d.required(p, "deployment", `add "deployment: {type: on-branch, branch: main}"`); ok {
		d.deployment(f)
	}
}

func (d *decoder) deployment(p place) {
	const onBranch, onPullRequest = "on-branch", "on-pull-request"
	given, _ := p.child("type")
	pulls := given.node != nil && kindOf(given.node) == textKind && given.node.Value == onPullRequest
	if !d.mapping(p, deploymentLevel(pulls)) {
		return
	}
	f, ok := d.required(p, "type", `add "type: on-branch" or "type: on-pull-request"`)
	if !ok || d.choice(f, onBranch, onPullRequest) != onBranch {
		return
	}
	if f, ok := d.required(p, "branch", "name the branch to deploy from"); ok {
		d.text(f, "garnix took one branch; write a server for each")
	}
	if f, ok := p.child("machine"); ok {
		d.choice(f, "i2x4", "i4x8", "i8x16", "i16x32")
	}
	if f, ok := p.child("isPrimary"); ok {
		d.flag(f)
	}
}

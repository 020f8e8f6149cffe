package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/document"
)

// decode reads a whole configuration within the budget, adding to what was found before; nil nodes are an empty file.
// The Config is nil if there are errors; then what is known about the matchers is told at once.
func decode(file string, root *yaml.Node, budget int, found diag.List) (*Config, diag.List) {
	d := &decoder{file: file, diags: found, budget: budget}
	c := defaults(file)
	if root != nil && kindOf(root) != nullKind {
		d.config(c, place{key: root, node: root})
	}
	if d.diags.HasErrors() || d.refused {
		for _, f := range Findings(c.Sections, nil) {
			if len(f.Places) > 0 { // what holds for all matchers is known only once all are right
				d.diags = append(d.diags, f.Diagnostic)
			}
		}
		return nil, fewer(d.diags.Sorted())
	}
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
	d.mapping(p, level{name: "at the top level", hint: `garnix.yaml is a mapping with keys such as "builds"`, fields: []field{
		{"builds", "", func(p place) { c.Sections = d.builds(p) }},
		{"incrementalizeBuilds", "", func(p place) { c.Incrementalize = d.incrementalize(p) }},
		{"actions", "", func(p place) { c.Actions = each(d, p, `write a list: "- {on: push, run: name}"`, d.action) }},
		{"modules", "", func(p place) {
			d.mapping(p, level{name: "in modules", hint: `write "modules: {publish: true}"`, fields: []field{
				{"publish", "", func(p place) { c.PublishModules = d.flag(p) }},
			}})
		}},
		{"fodChecks", "", func(p place) { c.FODChecks = d.flag(p) }},
		{"flakeDir", "", func(p place) {
			c.FlakeDir, _ = d.text(p, "")
			c.FlakeDirPos = d.at(p.node)
		}},
		{"servers", "", func(p place) { c.Servers = each(d, p, "write a list of servers", d.server) }},
	}, others: map[string]KeyKind{
		"artifacts": KeyFork, "autoCancelSuperseded": KeyFork, "cancelSupersededBuilds": KeyFork,
		"enableGithubOrgAccessTokens": KeyHosted,
	}})
}

func each[T any](d *decoder, p place, hint string, decode func(place) T) []T {
	out := []T{}
	for _, item := range d.list(p, hint) {
		out = append(out, decode(item))
	}
	return out
}

func (d *decoder) builds(p place) []Section {
	switch kindOf(p.node) {
	case mappingKind:
		return []Section{d.section(p)}
	case listKind:
		return each(d, p, "", d.section)
	}
	d.wrongType(p, "a mapping or a list of mappings", sectionHint)
	return nil
}

const sectionHint = `list the matchers under "include"`

func (d *decoder) section(p place) Section {
	s := Section{Pos: d.at(p.node)}
	d.mapping(p, level{name: "in a build section", hint: sectionHint, fields: []field{
		{"include", "", func(p place) { s.Include = d.matchers(p) }},
		{"exclude", "", func(p place) { s.Exclude = d.matchers(p) }},
		{"branch", "", func(p place) {
			branch, ok := d.text(p, "garnix took one branch; give every branch a build section of its own")
			if !ok {
				return
			}
			s.Branch = &branch
			if hint := neverBranch(branch); hint != "" {
				d.diags.Warnf(d.at(p.node), "branch-never-matches", hint,
					"no branch is called %s, so this build section never took part", diag.Excerpt(branch))
			}
		}},
	}})
	if s.Include == nil && p.node.Kind == yaml.MappingNode {
		s.Include, s.IncludeIsDefault = defaultInclude(d.file), true
	}
	return s
}

// neverBranch says what to do about a name that git allows no branch to have (git-check-ref-format); it is "" for others.
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
			m := newMatcher(text, d.at(item.node))
			matchers, d.refused = append(matchers, m), d.refused || !m.Valid()
		}
	}
	return matchers
}

func (d *decoder) action(p place) Action {
	a := Action{Sandbox: "fast-startup"}
	d.mapping(p, level{name: "in an action", hint: `an action is written "- {on: push, run: name}"`, fields: []field{
		{"run", "name a flake app to run", func(p place) {
			a.Run, _ = d.text(p, "name one flake app")
			a.RunPos = d.at(p.node)
			if name := appOf(a.Run); name != a.Run {
				d.diags.Warnf(a.RunPos, "action-attribute", "write "+diag.Excerpt("run: "+name),
					"garnix took the name of an app and looked for %s", diag.Excerpt(a.Attr().String()))
			}
		}},
		{"on", `add "on: push"`, func(p place) { d.choice(p, "push") }},
		{"sandboxType", "", func(p place) { a.Sandbox = d.choice(p, "fast-startup", "shared-resources") }},
		{"withRepoContents", "", func(p place) { a.WithRepoContents = d.flag(p) }},
	}, others: map[string]KeyKind{"githubToken": KeyFork}})
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

func (d *decoder) incrementalize(p place) (i Incrementalize) {
	switch kindOf(p.node) {
	case boolKind:
		i.Enabled = d.flag(p)
	case mappingKind:
		i.Enabled, i.ExcludeBranches = true, []string{}
		hint := `list the branches under "excludeBranches", or write "incrementalizeBuilds: true"`
		d.mapping(p, level{name: "in incrementalizeBuilds", fields: []field{{"excludeBranches", hint, func(p place) {
			i.ExcludeBranches = each(d, p, "write a list of branches", func(p place) string {
				branch, _ := d.text(p, "")
				return branch
			})
		}}}})
	default:
		d.wrongType(p, `a boolean or a mapping with "excludeBranches"`, "write true or false, without quotes")
	}
	return i
}

func (d *decoder) server(p place) (s Server) {
	const deployment = `add "deployment: {type: on-branch, branch: main}"`
	d.mapping(p, level{name: "in a server", hint: `a server has "configuration" and "deployment"`, fields: []field{
		{"configuration", "name one of nixosConfigurations", func(p place) { s.Configuration, _ = d.text(p, "name one of nixosConfigurations") }},
		{"deployment", deployment, func(p place) { s.Deployment = d.deployment(p) }},
	}})
	return s
}

// deployment decodes by the type: on pull requests no other key was read.
func (d *decoder) deployment(p place) (t Deployment) {
	l := level{name: "in a deployment", hint: `a deployment has a "type"`, fields: []field{
		{"type", `add "type: on-branch" or "type: on-pull-request"`, func(p place) { t.Type = d.choice(p, "on-branch", "on-pull-request") }},
	}}
	written := ""
	if _, value := document.Find(p.node, "type"); kindOf(value) == textKind {
		written = value.Value
	}
	switch written {
	case "on-pull-request":
		l.name = "in a deployment on pull requests"
	case "on-branch":
		l.name, t.Machine = "in a deployment from a branch", "i2x4"
		l.fields = append(l.fields,
			field{"branch", "name the branch to deploy from", func(p place) { t.Branch, _ = d.text(p, "garnix took one branch; write a server for each") }},
			field{"machine", "", func(p place) { t.Machine = d.choice(p, "i2x4", "i4x8", "i8x16", "i16x32") }},
			field{"isPrimary", "", func(p place) { t.IsPrimary = d.flag(p) }})
	default:
		l.fields = append(l.fields, field{key: "branch"}, field{key: "machine"}, field{key: "isPrimary"})
	}
	d.mapping(p, l)
	return t
}

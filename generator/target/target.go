// Package target decides which outputs of a flake garnix would have built for a commit, and why.
package target

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

// Commit says what is built. The zero value is a commit on no branch, as that of a fork.
type Commit struct {
	All    bool   // the union over every branch; the other fields mean nothing then
	Branch string // compared as it is; "" is no branch
	Fork   bool   // a pull request from a fork, which has no branch whatever Branch says
}

// Selection is what garnix would have built and run.
type Selection struct {
	Targets  []Target         // sorted by the text of Attr, each once
	Actions  []config.Action  // in the order of the configuration, duplicates kept
	Findings []config.Finding // which matchers have no effect

	// Open holds, without a lock, the includes of which only the flake tells what they select: the default include, and
	// those with wildcards, in the order of the configuration.
	Open []Open
}

// Open is an include of which only the flake tells what it selects.
type Open struct {
	Section int // the index of its build section
	Matcher config.Matcher
}

// Target is one selected flake output.
type Target struct {
	Attr   flake.AttrPath
	System flake.System // it is built for; "" means unknown: a *Configuration whose system no lock tells

	// Section is the index of the first build section that chose the target for this commit, and Matcher the first
	// include there that matches it.
	Section int
	Matcher config.Matcher

	// AnyBranch says that the target is selected on every branch and for forks; otherwise Branches lists, sorted, the
	// only branches it is selected on. Neither depends on the commit.
	AnyBranch bool
	Branches  []string
}

// Select returns what garnix would have built for the commit (GetAttributes.hs and Attribute.hs). Without a lock the
// flake's outputs are unknown, and the selection holds what the literal matchers name. Errors are those that made
// garnix fail the whole commit while it listed the flake; warnings tell what was written and has no effect. Only the
// build sections that take part for the commit are judged.
func Select(c *config.Config, lock *flake.Lock, at Commit) (Selection, diag.List) {
	var diags diag.List
	if _, ok := c.FlakePath(); !ok {
		diags.Errorf(c.FlakeDirPos, "flake-dir-outside", "name a directory relative to the repository root",
			"flakeDir %s is not a path within the repository", diag.Excerpt(c.FlakeDir))
		return Selection{}, diags
	}
	s := selector{all: c.Sections, at: at}
	considered := slices.DeleteFunc(slices.Clone(c.Sections), func(s config.Section) bool { return !at.considers(s) })
	selection := Selection{Actions: c.Actions, Findings: config.Findings(considered, lock)}
	if lock == nil {
		var named []flake.AttrPath
		named, selection.Open = s.written()
		selection.Targets = s.targets(named, nil)
	} else {
		selection.Targets = s.targets(lock.Paths(), lock.Systems)
		diags = append(s.unlistable(lock), s.dotted(lock)...)
	}
	for _, f := range selection.Findings {
		diags = append(diags, f.Diagnostic)
	}
	return selection, diags.Sorted()
}

// considers reports whether a build section takes part for the commit.
func (at Commit) considers(s config.Section) bool {
	return s.Branch == nil || *s.Branch != "" && (at.All || !at.Fork && *s.Branch == at.Branch)
}

// selector applies the build sections of a configuration.
type selector struct {
	all []config.Section
	at  Commit
}

// targets selects among outputs, of which the systems that no path tells may be known.
func (s selector) targets(candidates []flake.AttrPath, systems map[string]flake.System) []Target {
	targets := []Target{}
	for _, p := range candidates {
		if t, ok := s.choose(p); ok {
			if t.System = p.System(); t.System == "" {
				t.System = systems[p.String()]
			}
			targets = append(targets, t)
		}
	}
	slices.SortFunc(targets, func(a, b Target) int { return cmp.Compare(a.Attr.String(), b.Attr.String()) })
	return targets
}

// choose decides about one output.
func (s selector) choose(p flake.AttrPath) (t Target, ok bool) {
	t.Attr = p
	for i, section := range s.all {
		by, selects := section.Selects(p)
		switch {
		case !selects:
			continue
		case section.Branch == nil:
			t.AnyBranch = true
		case *section.Branch != "":
			t.Branches = append(t.Branches, *section.Branch)
		}
		if !ok && s.at.considers(section) {
			t.Section, t.Matcher, ok = i, by, true
		}
	}
	slices.Sort(t.Branches)
	t.Branches = slices.Compact(t.Branches)
	if t.AnyBranch {
		t.Branches = nil
	}
	return t, ok
}

// written returns the paths that literal includes name, each once, without those that can name nothing, and what is open.
// The default include was written by nobody: whether the flake has what it names is open.
func (s selector) written() (named []flake.AttrPath, open []Open) {
	seen := map[flake.AttrPath]bool{}
	for i, section := range s.all {
		for _, m := range section.Include {
			p, ok := m.Path()
			switch {
			case m.Dead || !s.at.considers(section):
			case section.IncludeIsDefault || !m.Literal():
				if len(section.Possible(m)) > 0 {
					open = append(open, Open{Section: i, Matcher: m})
				}
			case ok && !seen[p]:
				seen[p] = true
				named = append(named, p)
			}
		}
	}
	return named, open
}

// unlistable reports the parts of the flake that made garnix fail the whole commit. Families were listed for any include of
// any section, whatever its branch and excludes; devShell and defaultPackage were looked at only where they are selected.
func (s selector) unlistable(lock *flake.Lock) diag.List {
	var diags diag.List
	told := map[string]bool{}
	for _, family := range flake.Families() {
		for _, system := range family.Systems() {
			part := lock.Failure(family, system)
			by, listed := s.listedBy(family, system)
			if part == "" || !listed || told[part] {
				continue
			}
			told[part] = true
			hint := "make it evaluate, or narrow the include " + diag.Excerpt(by.String())
			if family.Shape() != flake.Direct {
				hint += "; an exclude does not help"
			}
			diags.Errorf(by.Pos, "evaluation", hint, "cannot list %s: %s", part, summary(lock.Errors[part]))
		}
	}
	return diags
}

// listedBy returns the first include that made garnix look at the family.
func (s selector) listedBy(family flake.Family, system flake.System) (config.Matcher, bool) {
	if family.Shape() == flake.Direct {
		chosen, ok := s.choose(family.Path(system, ""))
		return chosen.Matcher, ok
	}
	for _, section := range s.all {
		for _, m := range section.Include {
			if m.Lists(family, system) {
				return m, true
			}
		}
	}
	return config.Matcher{}, false
}

// summary is the first line of Nix's message that says something.
func summary(message string) string {
	const most = 200 // characters
	for line := range strings.Lines(message) {
		if line = diag.OneLine(line, most); line != "" && line != "error:" {
			return line
		}
	}
	return "unknown error"
}

// dotted warns of outputs that would be selected if their names held no dot, once for each include.
func (s selector) dotted(lock *flake.Lock) diag.List {
	var chosen []Target                      // the first of each include, without its dot
	outputs := map[string][]flake.AttrPath{} // by the include
	include := func(t Target) string { return fmt.Sprint(t.Matcher.Pos, t.Matcher) }
	for _, p := range lock.Paths() {
		undotted := p
		undotted.Second, undotted.Third = withoutDots(p.Second), withoutDots(p.Third)
		if undotted == p {
			continue
		}
		if t, ok := s.choose(undotted); ok {
			by := include(t)
			if outputs[by] == nil {
				chosen = append(chosen, t)
			}
			outputs[by] = append(outputs[by], p)
		}
	}
	var diags diag.List
	for _, t := range chosen {
		skipped, by := outputs[include(t)], diag.Excerpt(t.Matcher.String())
		if s.all[t.Section].IncludeIsDefault {
			by += " of garnix's default include"
		}
		what := fmt.Sprintf("%s %s", skipped[0].First, diag.Excerpt(skipped[0].Name()))
		hint := "give the output a second name without a dot and it is built"
		if n := len(skipped); n > 1 {
			what = fmt.Sprintf("%d outputs, %s the first of them", n, what)
			hint = "give the outputs second names without a dot and they are built"
		}
		diags.Warnf(t.Matcher.Pos, "dotted-name", hint, "garnix skipped %s, since a matcher never matches a name with a dot; %s would otherwise", what, by)
	}
	return diags
}

// withoutDots puts something for a dot that no matcher can spell, so that only wildcards match the name.
func withoutDots(name string) string { return strings.ReplaceAll(name, ".", "\x00") }

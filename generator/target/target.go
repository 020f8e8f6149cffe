// Package target decides which outputs of a flake garnix would have built for a commit, and why.
package target

import (
	"cmp"
	"slices"

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
	Targets []Target        // sorted by the text of Attr, each once
	Actions []config.Action // in the order of the configuration, duplicates kept

	// Open holds, without a lock, the includes of which only the flake tells what they select: the default include, and
	// those with wildcards, in the order of the configuration.
	Open []Open

	// Findings tell which matchers have no effect.
	Findings []config.Finding
}

// Open is an include of which only the flake tells what it selects.
type Open struct {
	Section int // the index of its build section
	Matcher config.Matcher
}

// Target is one selected flake output.
type Target struct {
	Attr flake.AttrPath

	// System is the system the output is built for; "" means unknown: a *Configuration whose system no lock tells.
	System flake.System

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

// written returns the paths that literal includes name, each once, without those that can name nothing, and the includes of
// which only the flake tells what they select. The default include was written by nobody: whether the flake has what it
// names is open.
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

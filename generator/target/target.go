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
	Targets []Target // sorted by the text of Attr, each once
	Actions []Action // in the order of the configuration, duplicates kept
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

// Action is a flake app to run.
type Action struct {
	Name string // as written
	Attr flake.AttrPath
}

// Select returns what garnix would have built for the commit (GetAttributes.hs and Attribute.hs). Without a lock the
// flake's outputs are unknown, and the selection holds what the literal matchers name. Errors are those that made
// garnix fail the whole commit while it listed the flake; warnings tell what was written and has no effect.
func Select(c *config.Config, lock *flake.Lock, at Commit) (Selection, diag.List) {
	var diags diag.List
	if _, ok := c.FlakePath(); !ok {
		diags.Errorf(c.FlakeDir.Pos, "flake-dir-outside", "name a directory relative to the repository root",
			"flakeDir %s is not a path within the repository", diag.Excerpt(c.FlakeDir.Value))
		return Selection{}, diags
	}
	s := newSelector(c, at)
	selection := Selection{Targets: s.targets(lock), Actions: actions(c)}
	if lock != nil {
		f := findings{selector: s, lock: lock, failures: failuresOf(lock)}
		f.listing()
		f.includes()
		f.excludes()
		f.dottedNames()
		diags = f.diags
	}
	return selection, diags.Sorted()
}

func actions(c *config.Config) []Action {
	actions := make([]Action, 0, len(c.Actions))
	for _, a := range c.Actions {
		actions = append(actions, Action{Name: a.Run, Attr: a.Attr()})
	}
	return actions
}

// targets selects among the outputs of the lock, or among the literal includes where there is none.
func (s *selector) targets(lock *flake.Lock) []Target {
	candidates := s.literals()
	if lock != nil {
		candidates = lock.Paths()
	}
	targets := []Target{}
	for _, p := range candidates {
		t, ok := s.choose(p)
		if !ok {
			continue
		}
		if t.System = p.System(); t.System == "" && lock != nil {
			t.System = lock.Systems[p.String()]
		}
		targets = append(targets, t)
	}
	slices.SortFunc(targets, func(a, b Target) int { return cmp.Compare(a.Attr.String(), b.Attr.String()) })
	return targets
}

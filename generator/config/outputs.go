package config

import (
	"iter"
	"slices"

	"garnix2gha/generator/flake"
)

// outputs are what a flake has, as far as a lock tells, and what it may have for the rest.
type outputs struct {
	lock  *flake.Lock      // nil: nothing is known
	paths []flake.AttrPath // those of the lock
}

// others is the name of all outputs that no matcher spells: no text decodes to it.
const others = "\xff"

// matched returns the outputs of the lock that m matches, then one for each part of the flake that nobody listed.
func (o outputs) matched(m flake.Matcher) []flake.AttrPath {
	var paths []flake.AttrPath
	for _, p := range o.paths {
		if m.Match(p) {
			paths = append(paths, p)
		}
	}
	return append(paths, o.unlisted(m)...)
}

// unlisted returns what m matches in the parts of the flake that nobody listed.
func (o outputs) unlisted(m flake.Matcher) []flake.AttrPath {
	parts := m.Parts()
	if len(parts) == 0 || parts[len(parts)-1] == "" {
		return nil
	}
	name := parts[len(parts)-1]
	if name == "*" {
		name = others
	}
	var paths []flake.AttrPath
	for _, family := range flake.Families() {
		for _, system := range family.Systems() {
			if !m.Lists(family, system) || o.lock != nil && o.lock.Failure(family, system) == "" {
				continue
			}
			paths = append(paths, family.Path(system, name))
		}
	}
	return paths
}

func (o outputs) has(m flake.Matcher) bool {
	return slices.ContainsFunc(o.paths, m.Match)
}

// names returns the names, as far as a matcher can spell them, of the lock's outputs that m matches.
func (o outputs) names(m flake.Matcher) []string {
	var names []string
	for _, p := range o.paths {
		if m.Match(p) {
			names = append(names, p.Name())
		}
	}
	return names
}

// Possible returns what an include can select in some flake; one path stands for all names that no matcher spells.
func (s Section) Possible(include Matcher) []flake.AttrPath {
	if s.Branch != nil && *s.Branch == "" {
		return nil // no branch is called so
	}
	return slices.DeleteFunc(outputs{}.unlisted(include.Matcher), func(p flake.AttrPath) bool { return firstMatch(s.Exclude, p) >= 0 })
}

// effective reports whether an include of the section can select an output.
func (o outputs) effective(s Section, m Matcher) bool {
	if m.Dead && !o.has(m.Matcher) {
		return false
	}
	kept := func(p flake.AttrPath) bool { return firstMatch(s.Exclude, p) < 0 }
	selected := func(p flake.AttrPath) bool { return m.Match(p) && kept(p) }
	return slices.ContainsFunc(o.paths, selected) || slices.ContainsFunc(o.unlisted(m.Matcher), kept)
}

// taken yields what an exclude takes away from the includes of its section; the same output may come again.
func (o outputs) taken(s Section, exclude flake.Matcher) iter.Seq[flake.AttrPath] {
	return func(yield func(flake.AttrPath) bool) {
		for _, p := range o.paths {
			if exclude.Match(p) && firstMatch(s.Include, p) >= 0 && !yield(p) {
				return
			}
		}
		for _, m := range s.Include {
			both, ok := m.And(exclude)
			if !ok || m.Dead {
				continue
			}
			for _, p := range o.unlisted(both) {
				if !yield(p) {
					return
				}
			}
		}
	}
}

func some(paths iter.Seq[flake.AttrPath]) bool {
	for range paths {
		return true
	}
	return false
}

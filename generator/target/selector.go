package target

import (
	"slices"
	"strings"

	"garnix2gha/generator/config"
	"garnix2gha/generator/flake"
)

// selector applies build sections to attribute paths in time that does not depend on the number of matchers.
type selector struct {
	sections []section
}

// section is a build section with its matchers found by what they say.
type section struct {
	config.Section
	considered bool // takes part for the commit
	include    index
	exclude    index
}

// index finds the first matcher of a list that says the same as a pattern, and marks those that were of use.
type index struct {
	first    map[pattern]int
	matched  []bool // matches some output
	selected []bool // of an include: and the output is not excluded; of an exclude: it takes away a match of an include
}

// pattern is what a matcher says: its parts, the third empty and n 2 in a two-part one. An attribute path is matched
// by exactly the patterns that put "*" for some of its parts, at most eight.
type pattern struct {
	parts [3]string
	n     int
}

func patternOf(m flake.Matcher) pattern {
	parts := m.Parts()
	p := pattern{n: len(parts)}
	copy(p.parts[:], parts)
	return p
}

// patternsOf returns the patterns that match p: none if a part holds a dot, since garnix compared dotted texts.
func patternsOf(p flake.AttrPath) []pattern {
	literal := pattern{}
	parts := p.Parts()
	if slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(part, ".") }) {
		return nil
	}
	literal.n = copy(literal.parts[:], parts)
	patterns := []pattern{literal}
	for i := range literal.n {
		for _, other := range patterns {
			other.parts[i] = "*"
			patterns = append(patterns, other)
		}
	}
	return patterns
}

func newIndex(matchers []config.Matcher) index {
	x := index{
		first:    make(map[pattern]int, len(matchers)),
		matched:  make([]bool, len(matchers)),
		selected: make([]bool, len(matchers)),
	}
	for i, m := range matchers {
		if p := patternOf(m.Matcher); !x.has(p) {
			x.first[p] = i
		}
	}
	return x
}

func (x index) has(p pattern) bool {
	_, ok := x.first[p]
	return ok
}

// hits returns the matchers that match, as positions in their list, the first of equal ones only.
func (x index) hits(patterns []pattern) []int {
	var hits []int
	for i, p := range patterns {
		if position, ok := x.first[p]; ok && !slices.Contains(patterns[:i], p) {
			hits = append(hits, position)
		}
	}
	return hits
}

func newSelector(c *config.Config, at Commit) *selector {
	s := &selector{}
	for _, from := range c.Sections {
		considered := from.Considered(at.Branch)
		switch {
		case at.All:
			considered = from.Branch == nil || *from.Branch != ""
		case at.Fork:
			considered = from.Branch == nil
		}
		s.sections = append(s.sections, section{
			Section:    from,
			considered: considered,
			include:    newIndex(from.Include),
			exclude:    newIndex(from.Exclude),
		})
	}
	return s
}

// literals returns the paths that literal includes name, each once, without those that can name nothing.
func (s *selector) literals() []flake.AttrPath {
	var paths []flake.AttrPath
	seen := map[flake.AttrPath]bool{}
	for _, section := range s.sections {
		for _, m := range section.Include {
			if p, ok := m.Path(); ok && !m.Dead && !seen[p] {
				seen[p] = true
				paths = append(paths, p)
			}
		}
	}
	return paths
}

// choose decides about one output, and marks the matchers that had a part in it.
func (s *selector) choose(p flake.AttrPath) (t Target, ok bool) {
	patterns := patternsOf(p)
	t.Attr = p
	for i := range s.sections {
		section := &s.sections[i]
		includes := section.include.hits(patterns)
		if len(includes) == 0 {
			continue
		}
		excludes := section.exclude.hits(patterns)
		for _, hit := range includes {
			section.include.matched[hit] = true
			section.include.selected[hit] = section.include.selected[hit] || len(excludes) == 0
		}
		for _, hit := range excludes {
			section.exclude.selected[hit] = true
		}
		if len(excludes) > 0 {
			continue
		}
		switch {
		case section.Branch == nil:
			t.AnyBranch = true
		case *section.Branch != "":
			t.Branches = append(t.Branches, *section.Branch)
		}
		if section.considered && !ok {
			t.Section, t.Matcher, ok = i, section.Include[slices.Min(includes)], true
		}
	}
	slices.Sort(t.Branches)
	t.Branches = slices.Compact(t.Branches)
	if t.AnyBranch {
		t.Branches = nil
	}
	return t, ok
}

// selects reports whether the commit selects an output that the patterns match, and by which include; it marks nothing.
func (s *selector) selects(patterns []pattern) (by config.Matcher, ok bool) {
	for _, section := range s.sections {
		if !section.considered || len(section.exclude.hits(patterns)) > 0 {
			continue
		}
		if hits := section.include.hits(patterns); len(hits) > 0 {
			return section.Include[slices.Min(hits)], true
		}
	}
	return config.Matcher{}, false
}

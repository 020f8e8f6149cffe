package flake

import (
	"slices"
	"strings"
)

// Matcher is an attribute matcher: two or three parts, of which "*", and only a whole "*", matches anything. One of other
// than two or three, as the zero value is, matches nothing. Source: garnix's parseAttributeMatcher.
type Matcher struct {
	parts []string
}

// ParseMatcher splits text on every dot; nothing is trimmed and Nix quoting is not understood.
func ParseMatcher(text string) Matcher { return Matcher{parts: strings.Split(text, ".")} }

// Valid reports whether the matcher has two or three parts; any other made garnix reject the whole file.
func (m Matcher) Valid() bool { return len(m.parts) == 2 || len(m.parts) == 3 }

// Parts returns the parts.
func (m Matcher) Parts() []string { return slices.Clone(m.parts) }

// String returns the text the matcher was parsed from.
func (m Matcher) String() string { return strings.Join(m.parts, ".") }

// Literal reports whether no part is a wildcard, so that the matcher names at most one attribute.
func (m Matcher) Literal() bool { return m.Valid() && !slices.Contains(m.parts, "*") }

// Match reports whether m matches p. A two-part matcher never matches a three-part path, nor the reverse, and a
// part of p that holds a dot is never matched, because garnix compared the dotted text part by part.
func (m Matcher) Match(p AttrPath) bool {
	matches := func(i int, part string) bool {
		return m.admits(i, part) && !strings.Contains(part, ".")
	}
	if p.First.Shape() == PerSystem || p.Third != "" {
		return len(m.parts) == 3 && matches(2, p.Third) && matches(1, p.Second) && matches(0, string(p.First))
	}
	return len(m.parts) == 2 && matches(1, p.Second) && matches(0, string(p.First))
}

// And returns the matcher of what both m and other match; ok is false if that is nothing.
func (m Matcher) And(other Matcher) (both Matcher, ok bool) {
	if len(m.parts) != len(other.parts) {
		return Matcher{}, false
	}
	both = Matcher{parts: m.Parts()}
	for i, part := range other.parts {
		switch {
		case both.parts[i] == "*":
			both.parts[i] = part
		case part != "*" && part != both.parts[i]:
			return Matcher{}, false
		}
	}
	return both, len(both.parts) > 0
}

// Path returns the one attribute path a literal matcher names; ok is false for a wildcard and for a path garnix
// could never list (another family, shape or system, an empty name).
func (m Matcher) Path() (p AttrPath, ok bool) {
	if !m.Literal() || slices.Contains(m.parts, "") {
		return AttrPath{}, false
	}
	p = AttrPath{First: Family(m.parts[0]), Second: m.parts[1]}
	if len(m.parts) == 3 {
		p.Third = m.parts[2]
	}
	if !m.CanList(p.First) {
		return AttrPath{}, false
	}
	return p, true
}

// CanList reports whether the matcher can select anything from the family at all.
func (m Matcher) CanList(f Family) bool {
	return slices.ContainsFunc(f.Systems(), func(s System) bool { return m.Lists(f, s) })
}

// Lists reports whether garnix listed the family (for a system, where the family has one) because of this include:
// garnix's mightMatch, which looks at neither the name nor excludes nor branches.
func (m Matcher) Lists(f Family, s System) bool {
	fits := m.Valid() && m.admits(0, string(f)) && (len(m.parts) == 3) == (f.Shape() == PerSystem)
	return fits && slices.Contains(f.Systems(), s) && (f.Shape() == Named || m.admits(1, string(s)))
}

// admits reports whether a part of the matcher stands for a text.
func (m Matcher) admits(i int, text string) bool { return m.parts[i] == "*" || m.parts[i] == text }

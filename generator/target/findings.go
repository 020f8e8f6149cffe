package target

import (
	"fmt"
	"slices"
	"strings"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

// findings tells what a configuration says about a flake without effect. Only sections that take part for the commit
// are judged; the selector must have chosen among the lock's outputs before.
type findings struct {
	selector *selector
	lock     *flake.Lock
	failures []failure
	diags    diag.List
	guesses  int // suggestions looked for; each costs as much as there are names
}

// includes warns of includes that select nothing. The default include is written by nobody.
func (f *findings) includes() {
	const code = "matcher-matches-nothing"
	for _, section := range f.selector.sections {
		if !section.considered || section.IncludeIsDefault {
			continue
		}
		for _, m := range section.Include {
			first := section.include.first[patternOf(m.Matcher)]
			text := diag.Excerpt(m.String())
			switch {
			case m.Dead || section.include.selected[first] || f.unlisted(m.Matcher):
			case section.include.matched[first]:
				f.diags.Warnf(m.Pos, code, "remove it or narrow the exclude",
					"matcher %s selects nothing: everything it matches is excluded again", text)
			case m.Literal():
				f.diags.Warnf(m.Pos, code, f.guess(m.Matcher), "matcher %s selects nothing: the flake has no such output", text)
			default:
				f.diags.Warnf(m.Pos, code, "remove it, or add such an output to the flake",
					"matcher %s selects nothing: it matches no output of the flake", text)
			}
		}
	}
}

// excludes warns of excludes that take nothing away. A wildcard that guards against outputs the flake may get one day
// is only worth a notice.
func (f *findings) excludes() {
	for _, section := range f.selector.sections {
		if !section.considered || !slices.Contains(section.include.matched, true) {
			continue
		}
		for _, m := range section.Exclude {
			if m.Dead || section.exclude.selected[section.exclude.first[patternOf(m.Matcher)]] || f.unlisted(m.Matcher) {
				continue
			}
			severity, hint := diag.Warning, "remove it"
			switch {
			case m.Literal():
				hint = f.guess(m.Matcher)
			case section.meets(m.Matcher):
				severity, hint = diag.Notice, "it takes effect once the flake has such an output"
			}
			f.diags.Add(severity, m.Pos, "exclude-excludes-nothing", hint,
				"exclude %s takes nothing away from what its build section includes", diag.Excerpt(m.String()))
		}
	}
}

// meets reports whether some output could be both included and matched by the exclude.
func (s section) meets(exclude flake.Matcher) bool {
	b := patternOf(exclude)
	return slices.ContainsFunc(s.Include, func(m config.Matcher) bool {
		a := patternOf(m.Matcher)
		for i := range a.n {
			if a.parts[i] != b.parts[i] && a.parts[i] != "*" && b.parts[i] != "*" {
				return false
			}
		}
		return a.n == b.n && !m.Dead
	})
}

// dottedNames warns of outputs that would be selected if their names held no dot.
func (f *findings) dottedNames() {
	for _, p := range f.lock.Paths() {
		undotted := p
		undotted.Second, undotted.Third = withoutDots(p.Second), withoutDots(p.Third)
		if undotted == p {
			continue
		}
		if by, ok := f.selector.selects(patternsOf(undotted)); ok {
			f.diags.Warnf(by.Pos, "dotted-name", "give the output a second name without a dot and it is built",
				"garnix skipped %s %s, since a matcher never matches a name with a dot; %s would otherwise",
				p.First, diag.Excerpt(nameOf(p)), diag.Excerpt(by.String()))
		}
	}
}

// withoutDots puts something for a dot that no matcher can spell, so that only wildcards match the name.
func withoutDots(name string) string { return strings.ReplaceAll(name, ".", "\x00") }

// withoutDotted returns the names that a matcher can spell.
func withoutDotted(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return strings.Contains(name, ".") })
}

func nameOf(p flake.AttrPath) string {
	if p.Third != "" {
		return p.Third
	}
	return p.Second
}

// guess finds what a literal matcher that names no output was probably meant to name.
func (f *findings) guess(m flake.Matcher) string {
	const limit = 20
	const none = "remove it, or add such an output to the flake"
	p, ok := m.Path()
	if f.guesses++; !ok || f.guesses > limit {
		return none
	}
	switch p.First.Shape() {
	case flake.Direct:
		modern := flake.AttrPath{First: "packages", Second: p.Second, Third: "default"}
		if p.First == "devShell" {
			modern.First = "devShells"
		}
		if slices.Contains(f.lock.PerSystem[modern.First][flake.System(p.Second)], modern.Third) {
			return fmt.Sprintf("the flake has %q instead", modern)
		}
	case flake.Named:
		if near := diag.Nearest(p.Second, withoutDotted(f.lock.Named[p.First])); near != "" {
			p.Second = near
			return fmt.Sprintf("did you mean %s?", diag.Excerpt(p.String()))
		}
	case flake.PerSystem:
		if near := diag.Nearest(p.Third, withoutDotted(f.lock.PerSystem[p.First][flake.System(p.Second)])); near != "" {
			p.Third = near
			return fmt.Sprintf("did you mean %s?", diag.Excerpt(p.String()))
		}
		for _, system := range flake.Systems() {
			if slices.Contains(f.lock.PerSystem[p.First][system], p.Third) {
				return fmt.Sprintf("the flake has it for %s", system)
			}
		}
	}
	return none
}

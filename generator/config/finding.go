package config

import (
	"slices"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

// Finding is one reason why matchers have no effect, with all that it holds for.
type Finding struct {
	diag.Diagnostic         // at the first place
	Places          []Place // in the order of the sections; none where it is about all matchers
}

// Place is a matcher without effect and what to do about it, of which the outcome was tried.
type Place struct {
	Matcher Matcher

	// Instead is what to write in place of an include: each of them selects something. Where there is none, as for
	// every exclude, the matcher can be removed, and the same is built.
	Instead []string

	by string // the exclude, and its line, that takes everything away from an include
}

// cause is what findings are told apart by.
type cause struct {
	code     string
	reason   string // the end of a sentence
	advice   string // what to do if nothing better is known; %s stands for "it" or "them"
	severity diag.Severity
	exclude  bool
	replaced bool // there are texts to write instead
}

// judge finds the matchers without effect.
type judge struct {
	sections []Section
	flake    outputs // as far as a lock tells; the zero outputs are whatever a flake may have
	proven   outputs // those of the lock alone, if there is one
	order    []cause
	places   map[cause][]Place
	tried    map[cause]int // places for which meanings were looked for
}

// Findings tells what the sections say without effect: about this flake if there is a lock, else about any flake. Those
// about matchers that garnix refused are errors.
func Findings(sections []Section, lock *flake.Lock) []Finding {
	j := &judge{sections: sections, places: map[cause][]Place{}, tried: map[cause]int{}}
	if lock != nil {
		paths := lock.Paths()
		j.flake = outputs{lock, paths}
		j.proven = outputs{&flake.Lock{}, paths} // what could not be listed is not there
	}
	for _, s := range sections {
		j.includes(s)
		j.excludes(s)
	}
	var findings []Finding
	for _, c := range j.order {
		findings = append(findings, c.finding(j.places[c]))
	}
	return append(findings, j.nothing()...)
}

// includes judges the includes of a section. The default include is written by nobody.
func (j *judge) includes(s Section) {
	if s.IncludeIsDefault {
		return
	}
	for _, m := range s.Include {
		if j.flake.effective(s, m) {
			continue
		}
		c := cause{severity: diag.Warning, code: "matcher-matches-nothing", advice: "remove %s, or add such an output to the flake"}
		switch {
		case m.Dead && !j.flake.has(m.Matcher):
			c.code, c.reason, c.advice = defectOf(m)
		case !outputs{}.effective(s, m), j.flake.has(m.Matcher):
			c.reason, c.advice = "excludes of the same build section take everything away again", "remove %s or narrow the exclude"
			j.add(c, Place{Matcher: m, by: j.excludedBy(s, m)})
			continue
		case m.Literal():
			c.reason = "the flake has no such output"
		default:
			c.reason = "it matches no output of the flake"
		}
		instead, listed := j.meant(c, s, m)
		if listed {
			c.advice = "remove %s: what was meant is included already"
		}
		j.add(c, Place{Matcher: m, Instead: instead})
	}
}

// excludedBy names the exclude that takes everything away from an include; it is "" where only several do.
func (j *judge) excludedBy(s Section, include Matcher) string {
	selected := j.flake.matched(include.Matcher)
	if len(selected) == 0 {
		selected = outputs{}.matched(include.Matcher)
	}
	for _, m := range s.Exclude {
		if !slices.ContainsFunc(selected, func(p flake.AttrPath) bool { return !m.Match(p) }) {
			return quoted(m)
		}
	}
	return ""
}

// excludes judges the excludes of a section: for one without effect it is always right to remove it.
func (j *judge) excludes(s Section) {
	alive := slices.ContainsFunc(s.Include, func(m Matcher) bool {
		return !m.Dead && (j.flake.has(m.Matcher) || j.flake.unlisted(m.Matcher) != nil)
	})
	for _, m := range s.Exclude {
		c := cause{exclude: true, severity: diag.Warning, code: "exclude-excludes-nothing", advice: "remove %s, and the same is built"}
		switch {
		case m.Dead && !j.flake.has(m.Matcher):
			c.code, c.reason, _ = defectOf(m)
			switch c.code {
			case "matcher-parts":
				c.advice = "remove %s"
			case "partial-glob":
				c.advice += "; to leave outputs out, name each of them"
			}
		case some(j.flake.taken(s, m.Matcher)):
			if c.reason = j.undone(s, m); c.reason == "" {
				continue
			}
			c.code = "exclude-undone"
		case !alive:
			continue // the includes have findings of their own
		case some(outputs{}.taken(s, m.Matcher)) && !m.Literal():
			c.severity, c.reason, c.advice = diag.Notice, "the flake has no such output", "it takes effect once the flake has one"
		case some(outputs{}.taken(s, m.Matcher)):
			c.reason = "the flake has no such output"
		case s.IncludeIsDefault:
			c.reason = "garnix's default include selects nothing like it: " + diag.Enumerate(s.IncludeTexts(), "and")
		default:
			c.reason = "no include of its build section selects anything like it"
		}
		if !m.Valid() && m.String() == "*" && s.IncludeIsDefault {
			c.advice = `write "include: []" to build nothing here, or remove %s`
		}
		j.add(c, Place{Matcher: m})
	}
}

// undone says which sections build what an exclude takes away, on every branch on which it does; it is "" if none do.
func (j *judge) undone(s Section, exclude Matcher) string {
	by := map[int]bool{}
	reason := ""
	for p := range j.flake.taken(s, exclude.Matcher) {
		i := slices.IndexFunc(j.sections, func(other Section) bool { return other.builds(p, s) })
		if i < 0 {
			return ""
		}
		by[i] = true
		reason = j.sections[i].name() + " includes all that it takes away"
	}
	if len(by) > 1 {
		return "other build sections include all that it takes away"
	}
	return reason
}

// builds reports whether a section selects an output, or all that it stands for, wherever another one takes part.
func (s Section) builds(p flake.AttrPath, wherever Section) bool {
	if s.Branch != nil && (wherever.Branch == nil || *wherever.Branch != *s.Branch) {
		return false
	}
	excludes := func(m Matcher) bool {
		_, meets := m.And(scope(p.Parts()))
		return meets
	}
	_, selects := s.Selects(p)
	return selects && (p.Name() != others || !slices.ContainsFunc(s.Exclude, excludes))
}

// meant finds what to write instead of an include; listed says that what was meant stands in the section already.
func (j *judge) meant(c cause, s Section, m Matcher) (instead []string, listed bool) {
	const causes, tries = 20, 50 // in a large flake each search takes a while
	if j.tried[c]++; j.tried[c] > tries || len(j.tried) > causes {
		return nil, false
	}
	for _, together := range j.proven.meanings(m.String()) {
		instead = nil
		for _, text := range together {
			switch {
			case text == m.String(), slices.Contains(instead, text):
			case slices.Contains(s.IncludeTexts(), text):
				listed = true
			case j.proven.effective(s, newMatcher(text, m.Pos)):
				instead = append(instead, text)
			}
		}
		switch n := len(instead); {
		case 0 < n && n <= mostTexts:
			return instead, false
		case listed:
			return nil, true
		}
	}
	return nil, false
}

// mostTexts is how many matchers are proposed for one.
const mostTexts = 8

func (j *judge) add(c cause, p Place) {
	if !p.Matcher.Valid() {
		c.severity = diag.Error
	}
	c.replaced = len(p.Instead) > 0
	if len(j.places[c]) == 0 {
		j.order = append(j.order, c)
	}
	j.places[c] = append(j.places[c], p)
}

// nothing is the finding that nothing is built, though something is included.
func (j *judge) nothing() []Finding {
	var wanted []Section
	for _, s := range j.sections {
		effective := func(m Matcher) bool { return j.flake.effective(s, m) }
		if (s.Branch == nil || neverBranch(*s.Branch) == "") && slices.ContainsFunc(s.Include, effective) {
			return nil
		}
		if len(s.Include) > 0 {
			wanted = append(wanted, s)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	d := diag.Diagnostic{Pos: wanted[0].Pos, Severity: diag.Warning, Code: "nothing-built", Hint: `correct the sections, or write "builds: []" if nothing is meant to be built`}
	switch {
	case j.flake.lock == nil:
		d.Message = "nothing can ever be built: no build section selects anything, whatever the flake holds"
	case len(wanted) == 1 && wanted[0].IncludeIsDefault:
		d.Message = "nothing is built: garnix's default include selects no output of the flake: " + diag.Enumerate(wanted[0].IncludeTexts(), "and")
	default:
		d.Message = "nothing is built: no build section selects an output of the flake"
	}
	return []Finding{{Diagnostic: d}}
}

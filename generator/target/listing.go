package target

import (
	"fmt"
	"slices"
	"strings"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

// unlistable reports the parts of the flake that made garnix fail the whole commit. Families were listed for any include
// of any section, whatever its branch and excludes; devShell and defaultPackage were looked at only where they are
// selected.
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

// skipped are the outputs that would be selected, by one include, if their names held no dot.
type skipped struct {
	chosen  Target // the first of them, without its dot
	outputs []flake.AttrPath
}

// dotted warns of outputs that would be selected if their names held no dot, once for each include.
func (s selector) dotted(lock *flake.Lock) diag.List {
	var all []skipped
	for _, p := range lock.Paths() {
		undotted := p
		undotted.Second, undotted.Third = withoutDots(p.Second), withoutDots(p.Third)
		if undotted == p {
			continue
		}
		chosen, ok := s.choose(undotted)
		if !ok {
			continue
		}
		by := chosen.Matcher
		i := slices.IndexFunc(all, func(o skipped) bool {
			return o.chosen.Matcher.Pos == by.Pos && o.chosen.Matcher.String() == by.String()
		})
		if i < 0 {
			i, all = len(all), append(all, skipped{chosen: chosen})
		}
		all[i].outputs = append(all[i].outputs, p)
	}
	var diags diag.List
	for _, o := range all {
		by := o.chosen.Matcher
		include := diag.Excerpt(by.String())
		if s.all[o.chosen.Section].IncludeIsDefault {
			include += " of garnix's default include"
		}
		first := fmt.Sprintf("%s %s", o.outputs[0].First, diag.Excerpt(o.outputs[0].Name()))
		what, hint := first, "give the output a second name without a dot and it is built"
		if n := len(o.outputs); n > 1 {
			what, hint = fmt.Sprintf("%d outputs, %s the first of them", n, first), "give the outputs second names without a dot and they are built"
		}
		diags.Warnf(by.Pos, "dotted-name", hint, "garnix skipped %s, since a matcher never matches a name with a dot; %s would otherwise", what, include)
	}
	return diags
}

// withoutDots puts something for a dot that no matcher can spell, so that only wildcards match the name.
func withoutDots(name string) string { return strings.ReplaceAll(name, ".", "\x00") }

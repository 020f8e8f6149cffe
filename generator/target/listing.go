package target

import (
	"strings"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

// failure is a part of the flake that garnix would have listed as a whole and that does not evaluate.
type failure struct {
	path    string // as the lock spells it
	family  flake.Family
	systems []flake.System // "" alone for a family without systems
}

// failuresOf reads the lock's errors. Those of single outputs failed nothing but their own check and are left out.
func failuresOf(lock *flake.Lock) []failure {
	var failures []failure
	for _, path := range lock.ErrorPaths() {
		first, system, ofSystem := strings.Cut(path, ".")
		f := failure{path: path, family: flake.Family(first)}
		switch shape := f.family.Shape(); {
		case shape == flake.Unlisted, shape == flake.Named && ofSystem:
		case shape == flake.Named:
			f.systems = []flake.System{""}
		case !ofSystem:
			f.systems = flake.Systems()
		case flake.System(system).Supported():
			f.systems = []flake.System{flake.System(system)}
		}
		if f.systems != nil {
			failures = append(failures, f)
		}
	}
	return failures
}

// listing reports the failures that made garnix fail the whole commit. Families were listed for any include of any
// section, whatever its branch and excludes; devShell and defaultPackage were looked at only where they are selected.
func (f *findings) listing() {
	for _, failure := range f.failures {
		for _, system := range failure.systems {
			by, fatal := f.listedBy(failure.family, system)
			if !fatal {
				continue
			}
			hint := "make it evaluate, or narrow the include " + diag.Excerpt(by.String())
			if failure.family.Shape() != flake.Direct {
				hint += "; an exclude does not help"
			}
			f.diags.Errorf(by.Pos, "evaluation", hint, "cannot list %s: %s", failure.path, summary(f.lock.Errors[failure.path]))
			break
		}
	}
}

// listedBy returns the first include that made garnix look at the family.
func (f *findings) listedBy(family flake.Family, system flake.System) (config.Matcher, bool) {
	if family.Shape() == flake.Direct {
		return f.selector.selects(patternsOf(flake.AttrPath{First: family, Second: string(system)}))
	}
	for _, section := range f.selector.sections {
		for _, m := range section.Include {
			if m.Lists(family, system) {
				return m, true
			}
		}
	}
	return config.Matcher{}, false
}

// unlisted reports whether m selects from a part of the flake that could not be listed, so that nothing is known.
func (f *findings) unlisted(m flake.Matcher) bool {
	for _, failure := range f.failures {
		for _, system := range failure.systems {
			if m.Lists(failure.family, system) {
				return true
			}
		}
	}
	return false
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

package plan

import (
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/settings"
)

// choose resolves the strategy, auto among them: static if every target can be known now.
func choose(in Input, diags *diag.List) string {
	s := in.Settings
	switch {
	case s.Strategy == settings.Dynamic:
		return settings.Dynamic
	case in.Lock != nil || literal(in):
		return settings.Static
	case s.Strategy == settings.Static:
		diags.Errorf(s.At("strategy"), "static-unknown", `run "garnix2gha snapshot" and commit the lock, or leave the strategy out`,
			"strategy static, but there is a matcher whose targets are known only with a lock")
		return settings.Static
	}
	return settings.Dynamic
}

// literal reports whether every include names one attribute and its system.
func literal(in Input) bool {
	for _, section := range in.Config.Sections {
		for _, m := range section.Include {
			if !m.Literal() {
				return false
			}
			if path, ok := m.Path(); ok && path.First.Shape() == flake.Named {
				return false
			}
		}
	}
	return true
}

package settings

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

var workflowFile = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,95}\.ya?ml$`)

func (p *parser) names(v value, n *Names) {
	p.mapping(v, fields{
		"build-workflow":   func(v value) { p.text(v, &n.BuildWorkflow, checkName) },
		"cache-workflow":   func(v value) { p.text(v, &n.CacheWorkflow, checkName) },
		"actions-workflow": func(v value) { p.text(v, &n.ActionsWorkflow, checkName) },
		"aggregate":        func(v value) { p.text(v, &n.Aggregate, checkName) },
	})
}

func checkName(text string) *problem {
	const most = 100
	switch {
	case text == "":
		return &problem{code: "bad-value", hint: "leave the key out for the default", message: "must not be empty"}
	case utf8.RuneCountInString(text) > most:
		return &problem{code: "bad-value", message: "must have at most 100 characters"}
	case strings.TrimSpace(text) != text:
		return &problem{code: "bad-value", hint: "GitHub compares names of checks to the letter", message: "must not begin or end with a space"}
	}
	return nil
}

func (p *parser) files(v value, f *Files) {
	p.mapping(v, fields{
		"build":   func(v value) { p.text(v, &f.Build, checkFile) },
		"cache":   func(v value) { p.text(v, &f.Cache, checkFile) },
		"actions": func(v value) { p.text(v, &f.Actions, checkFile) },
	})
}

func checkFile(text string) *problem {
	if !workflowFile.MatchString(text) {
		return &problem{code: "bad-value", hint: `for example "nix-build-cache.yml"`,
			message: "must be a file name without directories, of letters, digits, dots, underscores and hyphens, that ends in .yml or .yaml"}
	}
	return nil
}

// named is a setting by its path and text.
type named struct{ path, text string }

func namePaths(n Names) []named {
	return []named{
		{"names.build-workflow", n.BuildWorkflow},
		{"names.cache-workflow", n.CacheWorkflow},
		{"names.actions-workflow", n.ActionsWorkflow},
		{"names.aggregate", n.Aggregate},
	}
}

func filePaths(f Files) []named {
	return []named{{"files.build", f.Build}, {"files.cache", f.Cache}, {"files.actions", f.Actions}}
}

// checkDistinct refuses settings that are the same, at one that the file gives.
func (p *parser) checkDistinct(all []named, same func(a, b string) bool) {
	for i, second := range all {
		for _, first := range all[:i] {
			if p.faulty[first.path] || p.faulty[second.path] || !same(first.text, second.text) {
				continue
			}
			at, other := second.path, first.path
			if _, ok := p.places.given[at]; !ok {
				at, other = other, at
			}
			p.fault(at, "duplicate-value", "give each its own", "%s is the same as %s", at, other)
		}
	}
}

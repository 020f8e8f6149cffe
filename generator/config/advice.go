package config

import (
	"fmt"
	"slices"
	"strings"

	"garnix2gha/generator/diag"
)

// finding puts a cause into words, with the next step: to write something instead, or to remove what has no effect.
func (c cause) finding(places []Place) Finding {
	const most = 3 // places that are named
	const refused = " neither two nor three parts, so garnix refused the whole file"
	first, n := places[0].Matcher, len(places)
	noun, one, many := "matcher", "selects nothing", "select nothing"
	if c.exclude {
		noun, one, many = "exclude", "takes nothing away", "take nothing away"
	}
	switch c.code {
	case "matcher-parts":
		one, many = "has"+refused, "have"+refused
	case "exclude-undone":
		one, many = "has no effect", "have no effect"
	}
	var named, instead []string
	for _, p := range places {
		named = append(named, quoted(p.Matcher))
		instead = append(instead, p.Instead...)
	}
	if by := places[0].by; by != "" && !slices.ContainsFunc(places, func(p Place) bool { return p.by != by }) {
		c.reason = "the exclude " + by + " takes everything away again"
	}
	if n > most {
		named = append(named[:most], fmt.Sprintf("%d more", n-most))
	}
	them := "it"
	message := fmt.Sprintf("%s %s %s: %s", noun, diag.Excerpt(first.String()), one, c.reason)
	if n > 1 {
		them = "them"
		message = fmt.Sprintf("%d %ss %s: %s: %s", n, noun, many, c.reason, diag.Enumerate(named, "and"))
	}
	hint := strings.ReplaceAll(c.advice, "%s", them)
	if c.replaced {
		hint = "did you mean " + listed(instead) + "?"
	}
	d := diag.Diagnostic{Pos: first.Pos, Severity: c.severity, Code: c.code, Message: message, Hint: hint}
	return Finding{Diagnostic: d, Places: places}
}

func quoted(m Matcher) string {
	if m.Pos.Line == 0 {
		return diag.Excerpt(m.String())
	}
	return fmt.Sprintf("%s (line %d)", diag.Excerpt(m.String()), m.Pos.Line)
}

// listed quotes the first of the different texts.
func listed(texts []string) string {
	var out []string
	for _, text := range texts {
		if text = diag.Excerpt(text); !slices.Contains(out, text) {
			out = append(out, text)
		}
		if len(out) > mostTexts {
			out[mostTexts] = "so on"
			break
		}
	}
	return diag.Enumerate(out, "and")
}

// name tells a section from others in a message.
func (s Section) name() string {
	if s.Pos.Line == 0 {
		return "another build section"
	}
	return fmt.Sprintf("the build section on line %d", s.Pos.Line)
}

// IncludeTexts returns the includes as they were written, or as garnix's default has them.
func (s Section) IncludeTexts() []string {
	texts := make([]string, 0, len(s.Include))
	for _, m := range s.Include {
		texts = append(texts, m.String())
	}
	return texts
}

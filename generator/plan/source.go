package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/settings"
	"garnix2gha/generator/target"
)

// Sizes that keep a workflow startable. Linux takes at most 131,072 bytes in one environment variable; a file may have
// 500,000 bytes, and the build and plan steps carry the targets twice.
const (
	maxVariable = 100_000
	maxTargets  = 200_000
)

// choose resolves the strategy: static if every target can be known now.
func choose(in Input, diags *diag.List) Strategy {
	s := in.Settings
	switch {
	case s.Strategy == settings.Dynamic:
		return Dynamic
	case in.Lock != nil || literal(in):
		return Static
	case s.Strategy == settings.Static:
		diags.Errorf(s.At("strategy"), "static-unknown", `run "garnix2gha snapshot" and commit the lock, or leave the strategy out`,
			"strategy static, but there is a matcher whose targets are known only with a lock")
		return Static
	}
	return Dynamic
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

// sourceOf returns the environment that tells a workflow what to evaluate. Too many targets to list make an automatic
// strategy dynamic.
func sourceOf(in Input, strategy Strategy, diags *diag.List) (map[string]string, Strategy) {
	if strategy == Static {
		lines := targetLines(in.Selection.Targets)
		size := 0
		for _, line := range lines {
			size += len(line) + 16 // indentation in the file
		}
		if size <= maxTargets {
			return chunks(lines), Static
		}
		if in.Settings.Strategy == settings.Static {
			diags.Errorf(in.Settings.At("strategy"), "too-many-targets", `set "strategy: dynamic"`,
				"%d targets make the workflow larger than GitHub starts", len(lines))
			return nil, Static
		}
	}
	rules := rulesJSON(in)
	if len(rules) > maxVariable {
		diags.Errorf(diag.Pos{File: in.Config.File}, "too-many-matchers", "use wildcards",
			"the build sections take %d bytes; a workflow can carry %d", len(rules), maxVariable)
	}
	return map[string]string{"RULES": rules}, Dynamic
}

// chunks spreads lines over TARGETS, TARGETS_2, ….
func chunks(lines []string) map[string]string {
	out := map[string]string{}
	var b strings.Builder
	flush := func() {
		name := "TARGETS"
		if n := len(out); n > 0 {
			name = fmt.Sprintf("TARGETS_%d", n+1)
		}
		out[name] = b.String()
		b.Reset()
	}
	for _, line := range lines {
		if b.Len()+len(line) >= maxVariable {
			flush()
		}
		b.WriteString(line + "\n")
	}
	flush()
	return out
}

// targetLines writes a target a line: its dotted path if that is plain, else a JSON object with the path and, if it is
// not for every branch, the branches.
func targetLines(targets []target.Target) []string {
	lines := make([]string, 0, len(targets))
	for _, t := range targets {
		if t.AnyBranch && plain(t.Attr) {
			lines = append(lines, t.Attr.String())
			continue
		}
		object := struct {
			Path     []string `json:"path"`
			Branches []string `json:"branches,omitempty"`
		}{Path: t.Attr.Parts()}
		if !t.AnyBranch {
			object.Branches = t.Branches
		}
		lines = append(lines, ascii(object, ""))
	}
	return lines
}

func plain(p flake.AttrPath) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+@-"
	for _, part := range p.Parts() {
		if part == "" || strings.Trim(part, letters) != "" {
			return false
		}
	}
	return true
}

// rulesJSON writes the build sections as the plan job reads them, without matchers that select from nothing garnix
// listed.
func rulesJSON(in Input) string {
	type section struct {
		Branch  *string  `json:"branch"`
		Include []string `json:"include"`
		Exclude []string `json:"exclude"`
	}
	sections := []section{}
	for _, s := range in.Config.Sections {
		out := section{Branch: s.Branch, Include: []string{}, Exclude: []string{}}
		for _, m := range s.Include {
			if canList(m.Matcher) {
				out.Include = append(out.Include, m.String())
			}
		}
		for _, m := range s.Exclude {
			if canList(m.Matcher) {
				out.Exclude = append(out.Exclude, m.String())
			}
		}
		sections = append(sections, out)
	}
	return ascii(sections, "  ") + "\n"
}

func canList(m flake.Matcher) bool {
	for _, family := range flake.Families() {
		if m.CanList(family) {
			return true
		}
	}
	return false
}

// ascii encodes a value as JSON that is safe in a workflow: no expression can begin, since GitHub evaluates one in any
// value, and nothing that makes the YAML emitter give up a readable block.
func ascii(value any, indent string) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(value); err != nil {
		return "" // strings and slices always encode
	}
	var out strings.Builder
	for _, r := range strings.ReplaceAll(strings.TrimRight(b.String(), "\n"), "${{", `\u0024{{`) {
		switch {
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		case r > 0x7e:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

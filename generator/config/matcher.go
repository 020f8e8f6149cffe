package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

// Matcher is an attribute matcher and where it stands; the line is 0 in the default include.
type Matcher struct {
	flake.Matcher
	Pos  diag.Pos
	Dead bool // it is of no effect whatever the flake holds; Findings tell why
}

// newMatcher decodes a matcher. One that garnix refused is dead.
func newMatcher(text string, at diag.Pos) Matcher {
	m := Matcher{Matcher: flake.ParseMatcher(text), Pos: at}
	defect, _, _ := defectOf(m)
	m.Dead = defect != ""
	return m
}

// defectOf returns the most telling reason why a matcher has no effect whatever the flake holds; the code is "" without one.
func defectOf(m Matcher) (code, reason, advice string) {
	text := m.String()
	parts := m.Parts()
	first, shape := parts[0], flake.Family(parts[0]).Shape()
	code = "matcher-never-matches"
	if !m.Valid() {
		code = "matcher-parts"
	}
	_, dotted := unquoted(text)
	switch {
	case regular.MatchString(text):
		return code, `it looks like a regular expression, and garnix knew "*" for a whole part only`, "name each output, or remove %s"
	case dotted:
		return code, "garnix knew no Nix quoting and never selected a name with a dot",
			"give the output a second name without a dot and list that one, or remove %s"
	case strings.Contains(text, `"`):
		return code, "garnix knew no Nix quoting and took the quotes for a part of the name", "remove %s"
	case strings.Contains(text, "#"):
		return code, `a matcher is an attribute path, without "#" and what comes before it`, "name an output, or remove %s"
	case !m.Valid() && shape == flake.PerSystem && len(parts) > 3:
		return code, "garnix listed one level of names and never looked into nested sets",
			"give what is in the set a name beside it, " + first + ".<system>.<name>, or remove %s"
	case !m.Valid() && shape == flake.Named && len(parts) > 3:
		return code, "garnix built the toplevel of a configuration, " + first + ".<name>, and no other part of it",
			"put what is meant under packages of the flake, or remove %s"
	case !m.Valid():
		return code, `a matcher is family.system.name or family.name, with "*" for anything`, "name an output, or remove %s"
	case slices.Contains(parts, ""):
		return code, "a part is empty", "remove %s"
	case first != "*" && shape == flake.Unlisted && !partialGlob(first):
		advice = "put what should be built under packages, checks or devShells of the flake, or remove %s"
		if first == "apps" || first == "defaultApp" {
			advice = `build the app's package instead (garnix ran apps only as "actions"), or remove %s`
		}
		return code, "garnix never listed " + diag.Excerpt(first), advice
	case shape == flake.PerSystem && len(parts) != 3:
		return code, fmt.Sprintf("%s has three parts, %[1]s.<system>.<name>", first), "name an output, or remove %s"
	case shape == flake.Named && len(parts) != 2:
		return code, fmt.Sprintf("%s has two parts, %[1]s.<name>", first), "name one without a dot in its name, or remove %s"
	case shape == flake.Direct && len(parts) != 2:
		return code, fmt.Sprintf("%s has two parts, %[1]s.<system>", first), "remove %s"
	case slices.ContainsFunc(parts, partialGlob):
		return "partial-glob", `"*" stands for a whole part only, and everything else is taken as it is`, "name each output, or remove %s"
	case (shape != flake.Named && len(parts) == 3 || shape == flake.Direct) && parts[1] != "*" && !flake.System(parts[1]).Supported():
		return code, "garnix built for no system " + diag.Excerpt(parts[1]), "write " + strings.Join(systemNames(), ", ") + " or \"*\" there, or remove %s"
	}
	return "", "", ""
}

// partialGlob reports whether a part looks like a glob and is none: "*" alone is garnix's only wildcard.
func partialGlob(part string) bool {
	return part != "*" && strings.ContainsAny(part, "*?{[")
}

var regular = regexp.MustCompile(`^\.\*|^\^|\$$|\.\+|[\\|(]`) // what only a regular expression holds

// unquoted splits a text as Nix does, without the quotes and what precedes an attribute path for nix build. dotted says
// that a quoted name holds a dot; then parts are nothing that a matcher can spell.
func unquoted(text string) (parts []string, dotted bool) {
	text = strings.TrimLeft(strings.TrimSpace(text), "=")
	if before, after, ok := strings.Cut(text, "#"); ok && strings.Trim(before, "./") == "" {
		text = after
	}
	if strings.Count(text, `"`)%2 != 0 {
		text = strings.ReplaceAll(text, `"`, "")
	}
	for i, outside := range strings.Split(text, `"`) {
		dotted = dotted || i%2 != 0 && strings.Contains(outside, ".")
	}
	parts = strings.Split(strings.ReplaceAll(text, `"`, ""), ".")
	for i, part := range parts {
		if strings.HasPrefix(part, "'") || partialGlob(part) {
			parts[i] = strings.Trim(part, "'") // at the end of a name it belongs to the name
		}
	}
	return parts, dotted
}

func looksLikeSystem(part string) bool {
	machine, kernel, _ := strings.Cut(part, "-")
	known := []string{"linux", "darwin", "freebsd", "netbsd", "openbsd", "windows", "cygwin", "none"}
	return machine != "" && slices.Contains(known, kernel) || diag.Nearest(part, systemNames()) != ""
}

func systemNames() []string { return textsOf(flake.Systems()) }

func textsOf[T ~string](words []T) []string {
	texts := make([]string, 0, len(words))
	for _, word := range words {
		texts = append(texts, string(word))
	}
	return texts
}

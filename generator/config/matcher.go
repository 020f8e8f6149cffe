package config

import (
	"fmt"
	"slices"
	"strings"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

// defect says why a matcher can select nothing, whatever the flake holds.
type defect struct{ code, reason, hint string }

// defectOf returns the most telling defect of a matcher; dead is false if there is none.
func defectOf(m flake.Matcher) (d defect, dead bool) {
	const never = "matcher-never-matches"
	parts := m.Parts()
	first, second := parts[0], parts[1]
	family := flake.Family(first)
	shape := family.Shape()
	switch {
	case slices.Contains(parts, ""):
		return defect{never, "a part is empty", "an attribute path has two or three names with single dots between"}, true
	case first != "*" && shape == flake.Unlisted && !partialGlob(first):
		return defect{never, fmt.Sprintf("garnix never listed %s", diag.Excerpt(first)), unlistedHint(parts)}, true
	case shape == flake.PerSystem && len(parts) != 3:
		return defect{never, fmt.Sprintf("%s has three parts, %s.<system>.<name>", first, first), write(fit(family, parts[1:]))}, true
	case shape == flake.Named && len(parts) != 2:
		return defect{never, fmt.Sprintf("%s has two parts, %s.<name>", first, first), write(fit(family, parts[1:]))}, true
	case shape == flake.Direct && len(parts) != 2:
		named := strings.Join([]string{string(plural(family)), second, parts[2]}, ".")
		return defect{never, fmt.Sprintf("%s has two parts, %s.<system>", first, first),
			fmt.Sprintf("write %q, or %q for what has a name", fit(family, parts[1:]), named)}, true
	case slices.ContainsFunc(parts, partialGlob):
		return defect{"partial-glob", `"*" matches only as a whole part, and anything else is taken literally`, globHint(parts)}, true
	case (shape != flake.Named && len(parts) == 3 || shape == flake.Direct) && second != "*" && !flake.System(second).Supported():
		return defect{never, fmt.Sprintf("garnix built for no system %s", diag.Excerpt(second)), systemHint(parts)}, true
	}
	return defect{}, false
}

func write(text string) string { return "write " + diag.Excerpt(text) }

// partialGlob reports whether a part looks like a glob and is none: "*" alone is garnix's only wildcard.
func partialGlob(part string) bool {
	return part != "*" && strings.ContainsAny(part, "*?{[")
}

func globHint(parts []string) string {
	bare := slices.Clone(parts)
	for i := range bare {
		bare[i] = strings.Trim(bare[i], `"'`)
	}
	if !slices.ContainsFunc(bare, partialGlob) {
		return write(strings.Join(bare, "."))
	}
	return "list the names one by one"
}

// plural returns the family that superseded a direct one.
func plural(f flake.Family) flake.Family {
	if f == "devShell" {
		return "devShells"
	}
	return "packages"
}

// fit spells the one or two parts after the family in the family's own shape, as the writer probably meant them.
func fit(f flake.Family, rest []string) string {
	parts := append([]string{string(f)}, rest...)
	switch {
	case f.Shape() == flake.PerSystem && len(rest) == 1 && rest[0] == "*":
		parts = append(parts, "*")
	case f.Shape() == flake.PerSystem && len(rest) == 1 && looksLikeSystem(rest[0]):
		parts = append(parts, "*")
	case f.Shape() == flake.PerSystem && len(rest) == 1:
		parts = []string{string(f), "*", rest[0]}
	case f.Shape() == flake.Named && len(rest) == 2 && nameIsThird(rest):
		parts = []string{string(f), rest[1]}
	case f.Shape() != flake.PerSystem && len(rest) == 2:
		parts = parts[:2]
	}
	return strings.Join(parts, ".")
}

// nameIsThird tells nixosConfigurations.x86_64-linux.web from homeConfigurations.me.activationPackage.
func nameIsThird(rest []string) bool {
	inside := []string{"*", "activationPackage", "config", "system"}
	return looksLikeSystem(rest[0]) || (rest[0] == "*" && !slices.Contains(inside, rest[1]))
}

func looksLikeSystem(part string) bool {
	cpu, kernel, ok := strings.Cut(part, "-")
	kernels := []string{"linux", "darwin", "freebsd", "netbsd", "openbsd", "windows", "cygwin", "none"}
	return (ok && cpu != "" && slices.Contains(kernels, kernel)) || diag.Nearest(part, systemNames()) != ""
}

func systemNames() []string {
	var names []string
	for _, s := range flake.Systems() {
		names = append(names, string(s))
	}
	return names
}

func familyNames() []string {
	var names []string
	for _, f := range flake.Families() {
		names = append(names, string(f))
	}
	return names
}

func unlistedHint(parts []string) string {
	first := parts[0]
	near := diag.Nearest(first, familyNames())
	switch {
	case near != "":
		return fmt.Sprintf("did you mean %s?", diag.Excerpt(fit(flake.Family(near), parts[1:])))
	case looksLikeSystem(first) && len(parts) == 2:
		return write("packages." + strings.Join(parts, "."))
	case first == "apps" || first == "defaultApp":
		return `garnix ran apps under "actions" only; build the app's package instead`
	}
	return "put what should be built under packages, checks or devShells of the flake; besides these garnix built only " +
		"nixos, home and darwin configurations"
}

// systemHint guesses what a second part that is no system of garnix's was meant to be.
func systemHint(parts []string) string {
	if near := diag.Nearest(parts[1], systemNames()); near != "" {
		fixed := slices.Clone(parts)
		fixed[1] = near
		return fmt.Sprintf("did you mean %s?", diag.Excerpt(strings.Join(fixed, ".")))
	}
	if looksLikeSystem(parts[1]) {
		return "its systems were " + enumerate(systemNames())
	}
	family := flake.Family(parts[0])
	if family.Shape() == flake.Direct {
		return write(string(plural(family)) + ".*." + parts[1])
	}
	if parts[2] == "*" {
		return write(parts[0] + ".*." + parts[1])
	}
	return "the second part is a system or \"*\"; nested sets were never searched"
}

func countParts(text string) string {
	if n := strings.Count(text, ".") + 1; n > 1 {
		return fmt.Sprintf("%d parts", n)
	}
	return "1 part"
}

// partsHint guesses what a matcher with too few or too many parts was meant to be.
func partsHint(text string, exclude bool) string {
	text = strings.TrimPrefix(text, ".#")
	parts := strings.Split(text, ".")
	shape := flake.Family(parts[0]).Shape()
	switch {
	case text == "*" && exclude:
		return `to build nothing write "include: []"`
	case text == "*":
		return `write "*.*" and "*.*.*", which together match everything`
	case strings.ContainsAny(text, `"'`):
		return "garnix knew no quoting, so an attribute with a dot in its name could not be selected; rename it"
	case len(parts) > 3 && (shape == flake.Named || shape == flake.Direct):
		return write(strings.Join(parts[:2], "."))
	case len(parts) > 3 && shape == flake.PerSystem:
		return "garnix listed one level of names and never looked into nested sets; write " + diag.Excerpt(strings.Join(parts[:3], "."))
	case len(parts) == 1 && shape == flake.PerSystem:
		return write(text + ".*.*")
	case len(parts) == 1 && shape != flake.Unlisted:
		return write(text + ".*")
	case len(parts) == 2 || len(parts) == 3: // behind ".#"
		return write(text)
	}
	return `a matcher is written "family.system.name" or "family.name", with "*" for anything`
}

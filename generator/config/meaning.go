package config

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

// meanings returns what the writer of a matcher may have meant, the likeliest first: matchers that are meant together.
// Nobody has tried any: some may be the text itself, or select nothing.
func (o outputs) meanings(text string) [][]string {
	const long = 200 // bytes
	switch {
	case len(text) > long:
		return nil
	case text == "*":
		return [][]string{{"*.*", "*.*.*"}}
	}
	parts, dotted := unquoted(text)
	if dotted || regular.MatchString(text) {
		return nil
	}
	var out [][]string
	forms := o.forms(parts)
	for _, form := range forms {
		out = append(out, o.expand(form))
	}
	if partialGlob(parts[0]) { // all the families together
		out = [][]string{slices.Concat(out...)}
	}
	for _, form := range forms {
		out = append(out, o.similar(form)...)
	}
	return out
}

// forms spells parts in the ways that garnix understood, as parts of which some may still be globs.
func (o outputs) forms(parts []string) [][]string {
	first, rest := parts[0], parts[1:]
	names := textsOf(flake.Families())
	families := globbed(first, names)
	switch {
	case first == "*", flake.Family(first).Shape() != flake.Unlisted, partialGlob(first):
	case looksLikeSystem(first):
		families, rest = []string{"packages", "checks", "devShells"}, parts
	default:
		families = nil
		for near := diag.Nearest(first, names); near != ""; near = diag.Nearest(first, names) {
			families = append(families, near)
			names = slices.DeleteFunc(names, func(f string) bool { return f == near })
		}
		if len(families) == 0 && o.lock != nil && len(rest) == 2 && rest[1] != "*" {
			families = []string{"packages"} // the lock shows whether there is such a package
		}
	}
	var out [][]string
	for _, family := range families {
		out = append(out, o.fit(flake.Family(family), rest)...)
	}
	return out
}

// fit spells what follows a family, or "*", in its shape.
func (o outputs) fit(family flake.Family, rest []string) [][]string {
	if len(rest) == 0 {
		rest = []string{"*"}
	}
	name, first := "*", string(family)
	if len(rest) > 1 {
		name = rest[1]
	}
	var out [][]string
	switch shape := family.Shape(); {
	case shape == flake.Named:
		return named(first, rest)
	case shape == flake.Direct && isSystem(rest[0]) && len(rest) == 1:
		return [][]string{{first, systemOf(rest[0])}}
	case shape == flake.Direct:
		return o.fit(plural(family), rest)
	case len(rest) > 2:
		return nil
	case first == "*" && len(rest) == 1:
		return [][]string{{first, rest[0]}}
	case isSystem(rest[0]):
		return [][]string{{first, systemOf(rest[0]), name}}
	case first == "*" && o.lock != nil: // the lock shows which configuration has the name
		for _, f := range flake.Families() {
			if f.Shape() == flake.Named {
				out = append(out, []string{string(f), rest[0]})
			}
		}
	}
	if name == "*" || o.lock != nil {
		out = append(out, []string{first, "*", rest[0]})
	}
	return out
}

// named fits nixosConfigurations.x86_64-linux.web as well as homeConfigurations.me.activationPackage, what is built of a
// configuration anyway. What else follows a name is another part of it, or the rest of a name with a dot.
func named(family string, rest []string) [][]string {
	tail := strings.Join(rest[1:], ".")
	built := slices.Contains([]string{"", "*", "activationPackage", "system"}, tail) ||
		strings.HasPrefix("config.system.build.toplevel.", tail+".")
	switch {
	case built && (tail != "*" || !isSystem(rest[0])):
		return [][]string{{family, rest[0]}}
	case isSystem(rest[0]) && len(rest) == 2:
		return [][]string{{family, rest[1]}}
	}
	return nil
}

// isSystem reports whether a part stands for systems: for all, for one, or for a few as a glob.
func isSystem(part string) bool {
	return part == "*" || looksLikeSystem(part) || partialGlob(part) && len(globbed(part, systemNames())) > 0
}

// systemOf corrects the spelling of a system.
func systemOf(part string) string {
	if partialGlob(part) {
		return part
	}
	return cmp.Or(diag.Nearest(part, systemNames()), part)
}

// plural returns the family that superseded a direct one.
func plural(f flake.Family) flake.Family {
	if f == "devShell" {
		return "devShells"
	}
	return "packages"
}

// expand writes globs out with garnix's systems and the names in the lock. Of too many it returns none.
func (o outputs) expand(parts []string) []string {
	const most = 64
	texts := parts[:1]
	for i, part := range parts[1:] {
		words := systemNames()
		if i == len(parts)-2 && flake.Family(parts[0]).Shape() != flake.Direct {
			words = o.names(scope(parts))
		}
		var longer []string
		for _, text := range texts {
			for _, word := range globbed(part, words) {
				longer = append(longer, text+"."+word)
			}
		}
		if texts = longer; len(texts) > most {
			return nil
		}
	}
	return texts
}

// scope is the matcher of all outputs beside the one that parts name.
func scope(parts []string) flake.Matcher {
	beside := slices.Clone(parts)
	for i, part := range beside {
		if partialGlob(part) || i == len(parts)-1 {
			beside[i] = "*"
		}
	}
	return flake.ParseMatcher(strings.Join(beside, "."))
}

// globbed returns the words that a part stands for: itself, or what a shell would match.
func globbed(part string, words []string) (matched []string) {
	switch {
	case !partialGlob(part):
		return []string{part}
	case strings.Trim(part, "*") == "":
		return []string{"*"}
	}
	for _, word := range words {
		if ok, err := path.Match(part, word); err == nil && ok && !slices.Contains(matched, word) {
			matched = append(matched, word)
		}
	}
	return matched
}

// similar returns what parts that the lock does not list may stand for: misspelt, for another system, or superseded.
func (o outputs) similar(parts []string) (out [][]string) {
	last := len(parts) - 1
	name, family := parts[last], flake.Family(parts[0])
	if o.lock == nil || name == "*" {
		return nil
	}
	add := func(parts ...string) { out = append(out, []string{strings.Join(parts, ".")}) }
	if family.Shape() == flake.Direct {
		add(string(plural(family)), name, "default")
		return out
	}
	if near := diag.Nearest(name, o.names(scope(parts))); near != "" {
		add(append(slices.Clone(parts[:last]), near)...)
	}
	if family.Shape() == flake.PerSystem {
		for _, system := range flake.Systems() {
			add(string(family), string(system), name)
		}
	}
	return out
}

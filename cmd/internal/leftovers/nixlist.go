package leftovers

import (
	"regexp"
	"slices"
	"strings"
)

var (
	cacheURL = regexp.MustCompile(`^(?i:https?://cache\.garnix\.io)/?(?:\?[^\s"'$\\#]*)?$`)
	cacheKey = regexp.MustCompile(`^(?i:cache\.garnix\.io):[A-Za-z0-9+/=]*$`)
)

func isCacheToken(s string) bool { return cacheURL.MatchString(s) || cacheKey.MatchString(s) }

// isSetting knows nix's lists of caches and keys, with their aliases and the names NixOS gave them before 22.05.
// Source: nix's src/libstore/include/nix/store/globals.hh and worker-settings.hh; nixos/modules/config/nix.nix.
func isSetting(name string) bool {
	switch strings.TrimPrefix(name, "extra-") {
	case "substituters", "trusted-substituters", "binary-caches", "trusted-binary-caches", "binaryCaches", "trustedBinaryCaches":
		return true
	}
	return isKeySetting(name)
}

func isKeySetting(name string) bool {
	switch strings.TrimPrefix(name, "extra-") {
	case "trusted-public-keys", "binary-cache-public-keys", "binaryCachePublicKeys":
		return true
	}
	return false
}

// nixSplices mends the lists and strings of a Nix file that are understood.
func (d *document) nixSplices(r Replacement, accept accepted) []splice {
	f := d.nix
	if f == nil || !f.ok {
		return nil
	}
	var out []splice
	for _, l := range f.lists {
		if isSetting(l.bind.last()) {
			out = append(out, d.listSplices(l, r, accept)...)
		}
	}
	for _, i := range f.strings {
		t := f.tokens[i]
		within := span{t.inLo, t.inHi}
		switch name := t.bind.last(); {
		case isSetting(name):
			for _, s := range d.wordSplices(within, bindingKind(t.bind), r.forSetting(name), accept) {
				s.empties = s.empties && replacesDefault(t.bind)
				out = append(out, s)
			}
		case name == "extraOptions" && strings.HasPrefix(f.text(i), "''"):
			out = append(out, d.confSplices(within, r, accept)...)
		}
	}
	return out
}

// replacesDefault reports whether an empty value matters: modules add the default to their lists, a flake does not.
func replacesDefault(b *nixBinding) bool {
	return !strings.HasPrefix(b.last(), "extra-") && slices.Contains(b.path(), "nixConfig")
}

func bindingKind(b *nixBinding) Kind {
	inFlake, key := slices.Contains(b.path(), "nixConfig"), isKeySetting(b.last())
	switch {
	case inFlake && key:
		return KindFlakeKey
	case inFlake:
		return KindFlakeSubstituter
	case key:
		return KindModuleKey
	}
	return KindModuleSubstituter
}

// listSplices takes garnix's elements out of a list, the first of them in exchange for what is new and not in the
// list yet. With an element goes the comment behind it on its line, if that names garnix, and so goes a comment that
// is nothing but such an element.
func (d *document) listSplices(l *nixList, r Replacement, accept accepted) []splice {
	f := d.nix
	kind := bindingKind(l.bind)
	wanted := r.forSetting(l.bind.last())
	present := map[string]bool{}
	for _, i := range l.elements {
		present[canonical(f.src[f.tokens[i].inLo:f.tokens[i].inHi])] = true
	}
	wanted = slices.DeleteFunc(wanted, func(s string) bool { return present[canonical(s)] })

	var out []splice
	var gone []span
	kept, previous := false, -1 // previous: the end of the element before, if it went or was swapped
	for _, i := range l.elements {
		t := f.tokens[i]
		takes := accept(span{t.lo, t.hi})
		switch {
		case takes && f.isElement(i):
			if len(wanted) > 0 {
				out = append(out, splice{lo: t.lo, hi: t.hi, text: d.quoted(t, wanted), kind: kind})
				wanted, kept = nil, true
			} else {
				gone = append(gone, span{t.lo, t.hi})
			}
			previous = t.hi
			continue
		case takes && t.kind == nixComment && (isCommentedElement(f.text(i)) ||
			previous >= 0 && d.blank(previous, t.lo) && mentionsGarnix(f.text(i)) && !strings.Contains(f.text(i), "\n")):
			gone = append(gone, span{t.lo, t.hi})
		default:
			kept = true
		}
		previous = -1
	}
	if len(gone) == 0 && len(out) == 0 {
		return nil
	}
	inside := span{f.tokens[l.open].hi, f.tokens[l.close].lo}
	if !kept {
		return []splice{{lo: inside.lo, hi: inside.hi, text: " ", kind: kind, empties: replacesDefault(l.bind)}}
	}
	for _, s := range d.runs(gone) {
		removed := d.removal(s, inside, " ")
		removed.kind = kind
		out = append(out, removed)
	}
	return out
}

// isElement reports whether a token is garnix's URL or key and an element of its own: not an attribute's name and not
// the default behind "or".
func (f *nixFile) isElement(i int) bool {
	t := f.tokens[i]
	if t.kind != nixString && t.kind != nixURI || t.opaque || !isCacheToken(f.src[t.inLo:t.inHi]) {
		return false
	}
	binds := func(word string) bool { return word == "." || word == "or" }
	return !binds(f.neighbour(i, -1)) && !binds(f.neighbour(i, 1))
}

// neighbour returns the text of the next token in a direction that is no comment.
func (f *nixFile) neighbour(i, step int) string {
	for i += step; i >= 0 && i < len(f.tokens); i += step {
		if f.tokens[i].kind != nixComment {
			return f.text(i)
		}
	}
	return ""
}

// isCommentedElement knows a comment that only switches an element off.
func isCommentedElement(comment string) bool {
	text := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(comment, "/*"), "*/"))
	text = strings.TrimSpace(strings.TrimLeft(text, "#"))
	return isCacheToken(strings.Trim(text, `"`))
}

// quoted writes new elements in place of a token: below each other if the token begins its line, else side by side.
func (d *document) quoted(t nixToken, elements []string) string {
	line := d.line(t.lo)
	lo, hi, next := d.bounds(line)
	between := " "
	if d.blank(lo, t.lo) {
		between = string(d.data[hi:next]) + string(d.data[lo:t.lo])
	}
	var b strings.Builder
	for i, e := range elements {
		if i > 0 {
			b.WriteString(between)
		}
		b.WriteString(`"` + e + `"`)
	}
	return b.String()
}

// canonical is a URL or key as it is compared: a slash at the end makes no difference.
func canonical(s string) string { return strings.TrimSuffix(s, "/") }

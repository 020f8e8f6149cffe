// The changes that need no judgement.

package leftovers

import (
	"cmp"
	"slices"
	"strings"
)

// badge is an image of Markdown, alone or as the text of a link.
const badge = `(?:!\[[^\[\]]*\]\([^()]*\)|\[!\[[^\[\]]*\]\([^()]*\)\]\([^()]*\))`

var (
	// Several keys stand side by side only where a setting of nix.conf takes words.
	confLine = lazily(`^[ \t]*(?:extra-)?(?:substituters|trusted-substituters|trusted-public-keys|binary-caches|trusted-binary-caches|binary-cache-public-keys)[ \t]*=[ \t]*([^#\r\n]*?)[ \t]*(#.*)?$`)
	// The name of an attribute or key, which may be there only once.
	keyUse = lazily(`^(?:(?:\?[^\s"']*)?["']+[ \t]*[=:]|:(?:[ \t\r\n]|$))`)

	badgeText = lazily(`garnix\.io(?:/|%2f)api(?:/|%2f)badges|(?:shields\.io|badgen\.net)/(?:(?:static/|badge/)[^\s()]*garnix|endpoint[^\s()]*garnix\.io)`)
	badgeLine = lazily(`^[ \t]*(?:[-*] )?(?:` + badge + `[ \t]*)+$`)
	oneBadge  = lazily(badge + `[ \t]*`)
)

// fix fills in d.fixed. One change can make room for another, so it goes on; each leaves a literal or a line less.
func (d *document) fix() {
	if slices.Contains([]class{classOwn, classRecord, classConfig, classLock, classPatch}, d.class) {
		return
	}
	for again := true; again; {
		again = false
		for i, line := range d.fixed {
			if strings.Contains(line, keepMark) || line == "" {
				continue
			}
			d.fixLine(i)
			again = again || d.fixed[i] != line
		}
	}
}

func (d *document) fixLine(i int) {
	body, end := ended(d.fixed[i])
	found := literals(body)
	switch e, isElement := elementOf(body); {
	case len(found) == 0:
		d.fixBadges(i, body, end)
	case d.class == classNixConf && len(d.opts.Replacement.successors(found[0].kind)) == 0:
		if d.onlyGarnix(body) {
			d.fixed[i] = ""
		}
	case isElement && isLiteral(e.text):
		d.fixElement(i, e, found[0])
	default:
		if swapped, ok := d.swapped(body, found); ok {
			d.fixed[i] = swapped + end
		}
	}
}

const mostLiterals = 100 // of a line; more are only in files made to be slow

// swapped puts the new cache in the place of every literal, or says that one of them cannot go.
func (d *document) swapped(body string, found []literal) (string, bool) {
	if len(found) > mostLiterals {
		return "", false
	}
	out := body
	for _, l := range slices.Backward(found) {
		wanted := d.opts.Replacement.successors(l.kind)
		if len(wanted) == 0 || len(wanted) > 1 && !confLine().MatchString(body) {
			return "", false
		}
		text := strings.Join(wanted, " ")
		taken := keyUse().MatchString(body[l.hi:]) && (named(out, text) || slices.ContainsFunc(d.fixed, func(line string) bool { return named(line, text) }))
		if taken || strings.Contains(body, text) || d.class != classNixConf && needsQuotes(l.kind, text, body[:l.lo]) {
			return "", false
		}
		out = put(out, l, text)
	}
	return out, true
}

// named reports whether a text is the name of an attribute or key in a line.
func named(line, text string) bool {
	return slices.ContainsFunc(strings.Split(line, text)[1:], keyUse().MatchString)
}

// put replaces a literal in a line. Its query stays, also behind one of the successor's own.
func put(line string, l literal, text string) string {
	behind := line[l.hi:]
	if strings.Contains(text, "?") && strings.HasPrefix(behind, "?") {
		behind = "&" + behind[1:]
	}
	return line[:l.lo] + text + behind
}

// needsQuotes reports whether a successor may stand only within quotes, and none is before it.
func needsQuotes(kind literalKind, text, before string) bool {
	return kind != literalBareKey && !plain().MatchString(text) && !strings.HasSuffix(before, `"`) && !strings.HasSuffix(before, "'")
}

// fixElement swaps an element that has its line to itself, or removes it where others stay in the list.
func (d *document) fixElement(i int, e element, l literal) {
	var in list
	if !e.dash {
		in = d.brackets(i)
	} else if d.class != classNix { // where it is a minus
		in = d.dashes(i, e)
	}
	wanted := slices.DeleteFunc(slices.Clone(d.opts.Replacement.successors(l.kind)), func(text string) bool {
		return slices.ContainsFunc(in.others, func(other string) bool { return sameAddress(other, text) })
	})
	switch {
	case len(wanted) == 0 && len(in.others) > 0:
		d.fixed[i] = ""
		if e.comma == "" && in.last {
			d.fixed[in.before] = withoutComma(d.fixed[in.before])
		}
		return
	case len(wanted) > 1 && !in.closed:
		return
	}
	if at, _ := d.mention(e.comment); at >= 0 {
		e.comment = ""
	}
	_, end := ended(d.fixed[i])
	between := cmp.Or(end, "\n")
	if d.class != classNix && e.quote != "" && !e.dash {
		between = "," + between
	}
	var lines []string
	for _, text := range wanted {
		if needsQuotes(l.kind, text, e.quote) {
			return
		}
		lines = append(lines, put(e.head+e.quote+e.text+e.quote, l, text))
	}
	if len(lines) > 0 {
		d.fixed[i] = strings.Join(lines, between) + e.comma + e.comment + end
	}
}

// onlyGarnix reports whether a line is a setting of nix.conf that holds nothing else.
func (d *document) onlyGarnix(body string) bool {
	m := confLine().FindStringSubmatch(body)
	if m == nil || m[1] == "" {
		return false
	}
	at, _ := d.mention(m[2])
	return (m[2] == "" || at >= 0) && !slices.ContainsFunc(strings.Fields(m[1]), func(word string) bool { return !isLiteral(word) })
}

// fixBadges takes garnix's out of a line of badges. With the last one the line goes, and one of two blank lines around it.
func (d *document) fixBadges(i int, body, end string) {
	if d.class != classProse || !badgeLine().MatchString(body) {
		return
	}
	others := false
	rest := oneBadge().ReplaceAllStringFunc(body, func(image string) string {
		if at, _ := d.mention(image); at >= 0 && badgeText().MatchString(lowered(image)) {
			return ""
		}
		others = true
		return image
	})
	switch {
	case rest == body:
	case others:
		d.fixed[i] = strings.TrimRight(rest, " \t") + end
	default:
		d.fixed[i] = ""
		before := i - 1
		for before >= 0 && d.fixed[before] == "" {
			before--
		}
		if (before < 0 || isBlank(d.fixed[before])) && i+1 < len(d.fixed) && isBlank(d.fixed[i+1]) {
			d.fixed[i+1] = ""
		}
	}
}

func isBlank(line string) bool { return strings.TrimSpace(line) == "" }

func sameAddress(a, b string) bool {
	a, _, _ = strings.Cut(a, "?")
	b, _, _ = strings.Cut(b, "?")
	return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/")
}

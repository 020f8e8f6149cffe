// The literals that are swapped, what takes their place, and the lists that they are in.

package leftovers

import (
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
)

// garnix's cache, as its documentation had it.
const (
	cacheHost = "cache.garnix.io"
	keyStart  = "CTFPyKSLcx5R" // enough to find what people shorten
	bareKey   = keyStart + "MJKfLo5EEPUObbA78b0YQ2DTCJXqr9g="
)

type literalKind int

const (
	literalURL literalKind = iota
	literalKey
	literalBareKey // beside an address in a setting of its own
)

// literal is garnix's URL, without its query, or its key in a line.
type literal struct {
	lo, hi int
	kind   literalKind
}

var (
	literalText = lazily(`(?i:https?://cache\.garnix\.io)/?|(?i:cache\.garnix\.io:)?` + regexp.QuoteMeta(bareKey))
	// What may stand around a literal: before, no longer scheme, name or key; behind, no longer host, path or key.
	beforeURL = lazily(`(?:^|[^A-Za-z0-9+.-])$`)
	beforeKey = lazily(`(?:^|[^A-Za-z0-9+/.:@_-])$`)
	behindURL = lazily("^(?:$|[ \\t\\r\\n\"'`<>()\\[\\]{},;|\\\\?*&]|[.:!](?:$|[^A-Za-z0-9/.]))")
	behindKey = lazily(`^(?:$|[^A-Za-z0-9+/=])`)
)

// literals finds what can be swapped in a line, in order.
func literals(line string) []literal {
	var out []literal
	for _, at := range literalText().FindAllStringIndex(line, -1) {
		l := literal{lo: at[0], hi: at[1]}
		before, behind := beforeKey(), behindKey()
		switch text := line[l.lo:l.hi]; {
		case text == bareKey:
			l.kind = literalBareKey
		case strings.HasSuffix(text, bareKey):
			l.kind = literalKey
		default:
			before, behind = beforeURL(), behindURL()
		}
		if before.MatchString(line[max(0, l.lo-1):l.lo]) && behind.MatchString(line[l.hi:min(len(line), l.hi+2)]) {
			out = append(out, l)
		}
	}
	return out
}

// isLiteral reports whether a word is a literal and nothing else but its query.
func isLiteral(word string) bool {
	found := literals(word)
	return len(found) == 1 && found[0].lo == 0 && (found[0].hi == len(word) || word[found[0].hi] == '?')
}

// Replacement is the cache that takes garnix's place. Zero: none does, garnix is only taken out.
type Replacement struct {
	CacheURL   string   // as in substituters
	PublicKeys []string // as in trusted-public-keys: name:base64
}

// What a replacement may hold: nothing that ends a string, a word or a line in Nix, nix.conf, JSON, YAML and TOML.
var (
	replacementURL = lazily(`^[a-z][a-z0-9+.-]*://[A-Za-z0-9._~:/?&=%@+,-]*[A-Za-z0-9/=]$`)
	replacementKey = lazily(`^[A-Za-z0-9._-]+:[A-Za-z0-9+/]+=*$`)
)

// plain is a text that no quotes are needed for: a URI literal of Nix, a scalar of YAML, a word of the shell.
var plain = lazily(`^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/=%@+-]+$`)

// Check refuses what would break a file, and garnix's own cache.
func (r Replacement) Check() error {
	if r.CacheURL != "" && (!replacementURL().MatchString(r.CacheURL) || isGarnix(r.CacheURL)) {
		return fmt.Errorf("replace garnix: %q is not the URL of a new cache", r.CacheURL)
	}
	for _, key := range r.PublicKeys {
		if !replacementKey().MatchString(key) || isGarnix(key) {
			return fmt.Errorf("replace garnix: %q is not the public key of a new cache (name:base64)", key)
		}
	}
	return nil
}

func isGarnix(text string) bool {
	return strings.Contains(strings.ToLower(text), cacheHost) || strings.Contains(text, keyStart)
}

// successors are what takes the place of a literal.
func (r Replacement) successors(kind literalKind) []string {
	switch {
	case kind == literalURL && r.CacheURL != "":
		return []string{r.CacheURL}
	case kind == literalKey:
		return r.PublicKeys
	case kind == literalBareKey && len(r.PublicKeys) == 1:
		_, bare, _ := strings.Cut(r.PublicKeys[0], ":")
		return []string{bare}
	}
	return nil
}

// element is an element of a list that has its line to itself.
type element struct {
	head    string // indentation and, in YAML, the dash
	dash    bool
	quote   string
	text    string // without quotes
	comma   string
	comment string // with the blanks before it
}

var (
	elementLine = lazily(`^([ \t]*(- +)?)(?:(")([^"\\$]*)"|('')([^'$]*)''|(')([^'\\]*)'|([A-Za-z][^\s"'#,;\[\](){}]*))(,?)([ \t]*|[ \t]+#.*)$`)
	listStart   = lazily(`\[[ \t]*(?:#.*)?$`)
)

func elementOf(body string) (element, bool) {
	m := elementLine().FindStringSubmatch(body)
	if m == nil || m[9] == "or" { // of Nix
		return element{}, false
	}
	return element{
		head: m[1], dash: m[2] != "", quote: m[3] + m[5] + m[7], text: m[4] + m[6] + m[8] + m[9], comma: m[10], comment: m[11],
	}, true
}

// list is what stands around an element. closed: it was understood as a list from its start to its end.
type list struct {
	closed bool
	others []string // elements that stay: without garnix's
	before int      // the line of the element before, -1 without one
	last   bool     // no element follows
}

const listReach = 60 // lines that are looked at in each direction

// around goes through the lines before or after one, away from it. Several that a change made of one have the same at.
func (d *document) around(i, step int) iter.Seq2[int, string] {
	return func(yield func(at int, body string) bool) {
		for at := i + step; at >= 0 && at < len(d.fixed) && (at-i)*step <= listReach; at += step {
			parts := strings.Split(strings.TrimSuffix(d.fixed[at], "\n"), "\n")
			if step < 0 {
				slices.Reverse(parts)
			}
			for _, body := range parts {
				body = strings.TrimSuffix(body, "\r")
				if !isBlank(body) && !isComment(body) && !yield(at, body) {
					return
				}
			}
		}
	}
}

// brackets looks for the other elements of a list between brackets.
func (d *document) brackets(i int) list {
	l := list{before: -1, last: true}
	closed := 0
	for _, step := range []int{-1, 1} {
		for at, body := range d.around(i, step) {
			other, ok := elementOf(body)
			if !ok || other.dash {
				if step < 0 && listStart().MatchString(body) || step > 0 && strings.HasPrefix(strings.TrimSpace(body), "]") {
					closed++
				}
				break
			}
			l.add(other.text)
			if l.last = l.last && step < 0; step < 0 && l.before < 0 {
				l.before = at
			}
		}
	}
	if l.closed = closed == 2; !l.closed {
		l.others = nil
	}
	return l
}

func (l *list) add(text string) {
	if !isLiteral(text) {
		l.others = append(l.others, text)
	}
}

// dashes looks for the other items of a list of YAML, which stand at the same depth.
func (d *document) dashes(i int, e element) list {
	depth := func(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
	own := depth(e.head)
	l := list{closed: true}
	for _, step := range []int{-1, 1} {
		first := true
		for _, body := range d.around(i, step) {
			item := strings.HasPrefix(body[depth(body):]+" ", "- ")
			if first && step > 0 && depth(body) > own {
				return list{} // the item goes on
			}
			first = false
			if depth(body) < own || depth(body) == own && !item {
				break
			}
			if depth(body) > own {
				continue
			}
			if other, ok := elementOf(body); ok {
				l.add(other.text)
			} else {
				l.others = append(l.others, body)
			}
		}
	}
	return l
}

// withoutComma takes the comma behind an element that is the last now.
func withoutComma(line string) string {
	body, end := ended(line)
	start := strings.LastIndex(body, "\n") + 1
	e, ok := elementOf(body[start:])
	if !ok || e.comma == "" {
		return line
	}
	return strings.TrimSuffix(body, e.comma+e.comment) + e.comment + end
}

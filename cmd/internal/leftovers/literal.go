package leftovers

import (
	"regexp"
	"strings"
)

// garnix's cache, as its documentation had it.
const (
	cacheHost = "cache.garnix.io"
	keyStart  = "CTFPyKSLcx5R" // enough to find what people shorten
	bareKey   = keyStart + "MJKfLo5EEPUObbA78b0YQ2DTCJXqr9g="
)

// literalKind says what is swapped.
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
	literalText = regexp.MustCompile(`(?i:https?://cache\.garnix\.io)/?|(?i:cache\.garnix\.io:)?` + regexp.QuoteMeta(bareKey))
	// What may stand around a literal: before, no longer scheme, name or key; behind, no longer host, path or key.
	beforeURL = regexp.MustCompile(`(?:^|[^A-Za-z0-9+.-])$`)
	beforeKey = regexp.MustCompile(`(?:^|[^A-Za-z0-9+/.:@_-])$`)
	behindURL = regexp.MustCompile("^(?:$|[ \\t\\r\\n\"'`<>()\\[\\]{},;|\\\\?*&]|[.:!](?:$|[^A-Za-z0-9/.]))")
	behindKey = regexp.MustCompile(`^(?:$|[^A-Za-z0-9+/=])`)
)

// literals finds what can be swapped in a line, in order.
func literals(line string) []literal {
	var out []literal
	for _, at := range literalText.FindAllStringIndex(line, -1) {
		l := literal{lo: at[0], hi: at[1]}
		before, behind := beforeKey, behindKey
		switch text := line[l.lo:l.hi]; {
		case text == bareKey:
			l.kind = literalBareKey
		case strings.HasSuffix(text, bareKey):
			l.kind = literalKey
		default:
			before, behind = beforeURL, behindURL
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

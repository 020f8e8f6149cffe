// The literals that are swapped, and what takes their place.

package leftovers

import (
	"fmt"
	"regexp"
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

package diag

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the candidate that a misspelt word most likely means: within two edits (one for a word of up to three
// characters), the first of the nearest. Case, hyphens and underscores do not count. It is "" if there is none, and if
// the word is a candidate itself, which is then not what is wrong with it.
func Nearest(word string, candidates []string) string {
	const tooLong = 100 // bytes; nobody misspells that, and comparing costs the square
	if len(word) > tooLong || slices.Contains(candidates, word) {
		return ""
	}
	best, least := "", 3
	bare := plain(word)
	length := utf8.RuneCountInString(bare)
	if length <= 3 {
		least = 2
	}
	for _, candidate := range candidates {
		if len(candidate) > tooLong {
			continue
		}
		other := plain(candidate)
		if gap := utf8.RuneCountInString(other) - length; gap >= least || -gap >= least {
			continue // as many edits at least: counting them all takes long in a long list
		}
		if edits := levenshtein.ComputeDistance(bare, other); edits < least {
			best, least = candidate, edits
		}
	}
	return best
}

// plain removes what tells pushRefs, push_refs and push-refs apart.
func plain(word string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' {
			return -1
		}
		return unicode.ToLower(r)
	}, word)
}

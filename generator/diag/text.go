package diag

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

var escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]|\x1b\\][^\x07\x1b]*(\x07|\x1b\\\\)?")

// Printable makes foreign text fit to print: whatever would leave the line, steer the terminal or change the direction
// of the text becomes U+FFFD, and so do bytes that are not UTF-8.
func Printable(text string) string { return PrintableBut(text, "") }

// PrintableBut is Printable for where some characters, such as line ends, do no harm: these stay.
func PrintableBut(text, stay string) string { return withoutControls(text, '\uFFFD', stay) }

// OneLine makes the message of another program fit to print: without its colours and whatever Printable shows, its words
// one blank apart, and cut to at most so many characters.
func OneLine(text string, most int) string {
	return cut(strings.Join(strings.Fields(withoutControls(WithoutColors(text), ' ', "")), " "), most)
}

// WithoutColors removes the sequences that colour a message or set a terminal's title.
func WithoutColors(text string) string { return escapes.ReplaceAllString(text, "") }

func withoutControls(text string, instead rune, stay string) string {
	return strings.Map(func(r rune) rune {
		harmful := r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || unicode.Is(unicode.Bidi_Control, r)
		if harmful && !strings.ContainsRune(stay, r) {
			return instead
		}
		return r
	}, text)
}

// Excerpt quotes text for a message: what is not printable is escaped, and at most 80 characters are shown.
func Excerpt(text string) string {
	const most = 80
	return strconv.Quote(cut(text, most))
}

// ShellWord quotes text for a POSIX shell where it has to be quoted. It does not make it printable.
func ShellWord(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/@%+=:,"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func cut(text string, most int) string {
	count := 0
	for i := range text {
		if count == most {
			return text[:i] + "…"
		}
		count++
	}
	return text
}

// Enumerate joins words as prose: "a", "a and b", "a, b and c".
func Enumerate(words []string, conjunction string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " " + conjunction + " " + words[last]
}

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

// DidYouMean asks about the candidate that is Nearest to a misspelt word; it is "" if there is none.
func DidYouMean(word string, candidates []string) string {
	if near := Nearest(word, candidates); near != "" {
		return "did you mean " + strconv.Quote(near) + "?"
	}
	return ""
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

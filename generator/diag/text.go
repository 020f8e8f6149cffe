package diag

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
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

// cut shortens text to so many characters.
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

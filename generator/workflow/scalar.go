package workflow

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// numeric matches what some reader may take for a number or a date; whoever writes it as text quotes it.
var numeric = regexp.MustCompile(`^[-+]?[._]*[0-9]`)

// words are what some reader takes for something else than text, in lower case.
var words = []string{
	"", "~", "null", "true", "false", "y", "yes", "on", "n", "no", "off", "=", "<<", ".inf", ".nan",
}

// scalar writes text on one line: plain where every reader takes it for text, else in the quotes that prettier prefers.
// Within a list in brackets more has a meaning.
func scalar(s string, bracketed bool) string {
	switch {
	case !onLine(s):
		return escaped(s)
	case plain(s) && !(bracketed && strings.ContainsAny(s, ",[]{}?:")):
		return s
	case strings.ContainsAny(s, `"\`):
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return `"` + s + `"`
}

// plain reports whether text needs no quotes.
func plain(s string) bool {
	return !slices.Contains(words, strings.ToLower(s)) && !numeric.MatchString(s) && !strings.HasPrefix(s, "...") &&
		!strings.ContainsAny(s[:1], "!&*?|>%@`{}[],#:-\"' ") && !strings.HasSuffix(s, " ") && !strings.HasSuffix(s, ":") &&
		!strings.Contains(s, ": ") && !strings.Contains(s, " #")
}

// onLine reports whether every character shows, so that text is what it looks like.
func onLine(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return !shows(r) }) < 0 }

func shows(r rune) bool { return unicode.IsPrint(r) && r != unicode.ReplacementChar }

// escaped writes text in double quotes with escapes for what does not show.
func escaped(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case shows(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// literal reports whether a block can hold s, which has several lines, so that every formatter keeps it.
func literal(s string) bool {
	if strings.HasSuffix(s, "\n\n") || strings.ContainsAny(s[:1], " \n") || strings.HasSuffix(s, " ") {
		return false
	}
	return !strings.Contains(s, " \n") && onLine(strings.ReplaceAll(s, "\n", ""))
}

// onOneLine keeps a comment a comment.
func onOneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !shows(r) {
			return ' '
		}
		return r
	}, s))
}

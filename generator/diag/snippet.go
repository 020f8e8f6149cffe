package diag

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"
)

// snippet shows the line that a finding is about, and marks the word that begins there:
//
//	  |
//	3 | include: [packages]
//	  |           ^~~~~~~~
//
// It is "" if there is no such line. Without a column, or with one beyond what is shown, nothing is marked.
func snippet(at Pos, lines [][]byte) string {
	const (
		most    = 160      // cells of a line that are shown
		longest = 8 * most // bytes of it that are looked at, so that a finding costs the same in any line
	)
	if at.Line < 1 || at.Line > len(lines) {
		return ""
	}
	start := lines[at.Line-1]
	line := []rune(strings.TrimSuffix(string(start[:min(len(start), longest)]), "\r")) // a byte that is no UTF-8 counts as one
	width := &runewidth.Condition{StrictEmojiNeutral: true}                            // the default one asks the environment
	number := fmt.Sprint(at.Line)
	gutter := strings.Repeat(" ", len(number)) + " |"
	shown := fmt.Sprintf("%s\n%s | %s\n", gutter, number, width.Truncate(visible(line), most, "…"))
	if at.Column < 1 || at.Column > len(line)+1 {
		return shown
	}
	before, rest := line[:at.Column-1], line[at.Column-1:]
	indent, mark := width.StringWidth(visible(before)), width.StringWidth(visible(rest[:wordLength(rest)]))
	if indent >= most {
		return shown
	}
	mark = min(max(mark, 1), most-indent)
	return shown + gutter + " " + strings.Repeat(" ", indent) + "^" + strings.Repeat("~", mark-1) + "\n"
}

// visible is a part of a line as a terminal may show it.
func visible(line []rune) string {
	return Printable(strings.ReplaceAll(string(line), "\t", "    "))
}

// wordLength counts the characters of the YAML or JSON scalar that begins a line's rest, as far as a word shows it.
func wordLength(rest []rune) int {
	if len(rest) > 0 && (rest[0] == '"' || rest[0] == '\'') {
		if end := slices.Index(rest[1:], rest[0]); end >= 0 {
			return end + 2
		}
	}
	end := slices.IndexFunc(rest, func(r rune) bool { return strings.ContainsRune(" \t,]}", r) })
	if end < 0 {
		end = len(rest)
	}
	if end > 1 && rest[end-1] == ':' {
		end--
	}
	return end
}

package diag

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"
)

// Style says how Text prints; the zero value is fit for a pipe.
type Style struct {
	Color   bool
	Sources map[string][]byte        // texts of files by path: findings in these show the line that they are about
	Page    func(code string) string // the address that a code links to, "" for none; nil where nothing shows links
}

// Text prints one diagnostic a line, the line of the file that it is about below it, and its hint on a line of its own.
func Text(w io.Writer, l List, style Style) error {
	var b strings.Builder
	lines := map[string][][]byte{} // of the sources, split once for all findings
	codes := map[string]string{}   // as they are shown, each looked up once
	hues := map[Severity]string{Error: "31", Warning: "33", Notice: "36"}
	for _, d := range l {
		if codes[d.Code] == "" {
			codes[d.Code] = style.linked(d.Code)
		}
		if text := style.Sources[d.File]; text != nil && lines[d.File] == nil {
			lines[d.File] = bytes.Split(bytes.TrimPrefix(text, []byte("\ufeff")), []byte("\n"))
		}
		b.WriteString(Printable(d.Pos.String()))
		if d.File != "" {
			b.WriteString(": ")
		}
		severity := string(d.Severity)
		if style.Color {
			severity = "\x1b[" + hues[d.Severity] + "m" + severity + "\x1b[0m"
		}
		fmt.Fprintf(&b, "%s: %s [%s]\n", severity, Printable(d.Message), codes[d.Code])
		b.WriteString(snippet(d.Pos, lines[d.File]))
		if d.Hint != "" {
			fmt.Fprintf(&b, "hint: %s\n", Printable(d.Hint))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON prints a value over several lines, with its characters as they are.
func JSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// linked is a code as the link that it is on terminals that know them; others show it alone.
func (s Style) linked(code string) string {
	if s.Page == nil || s.Page(code) == "" {
		return code
	}
	return "\x1b]8;;" + s.Page(code) + "\x1b\\" + code + "\x1b]8;;\x1b\\"
}

// Annotations prints GitHub workflow commands that annotate the files.
// Source: GitHub's toolkit, which escapes %, CR and LF in data and also ":" and "," in properties.
func Annotations(w io.Writer, l List) error {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	var b strings.Builder
	for _, d := range l {
		fmt.Fprintf(&b, "::%s ", d.Severity)
		if d.File != "" {
			fmt.Fprintf(&b, "file=%s,", property.Replace(PrintableBut(d.File, "\n")))
		}
		if d.Line > 0 {
			fmt.Fprintf(&b, "line=%d,", d.Line)
		}
		if d.Column > 0 {
			fmt.Fprintf(&b, "col=%d,", d.Column)
		}
		fmt.Fprintf(&b, "title=%s::%s\n", property.Replace("garnix2gha "+d.Code), data.Replace(d.paragraph()))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// paragraph is the message and the hint for readers that take several lines.
func (d Diagnostic) paragraph() string {
	message := d.Message
	if d.Hint != "" {
		message += "\n" + d.Hint
	}
	return PrintableBut(message, "\n")
}

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

// SARIF prints the list as a SARIF 2.1.0 log, as GitHub's code scanning reads it. Every finding needs a file there, and
// one of the repository. rule tells about a code: what it means in a sentence, and the whole of it.
func SARIF(w io.Writer, l List, version string, rule func(code string) (summary, help string)) error {
	levels := map[Severity]string{Error: "error", Warning: "warning", Notice: "note"}
	links := strings.NewReplacer("](", "] (") // foreign text must not make any
	var codes []string
	rules, results := []any{}, []any{}
	for _, d := range l {
		if !slices.Contains(codes, d.Code) {
			codes = append(codes, d.Code)
			summary, help := rule(d.Code)
			rules = append(rules, map[string]any{
				"id": d.Code, "shortDescription": text(summary), "fullDescription": text(summary), "help": text(help),
			})
		}
		place := map[string]any{"artifactLocation": map[string]any{"uri": (&url.URL{Path: d.File}).String()}}
		if d.Line > 0 {
			region := map[string]any{"startLine": d.Line}
			if d.Column > 0 {
				region["startColumn"] = d.Column
			}
			place["region"] = region
		}
		results = append(results, map[string]any{
			"ruleId": d.Code, "ruleIndex": slices.Index(codes, d.Code), "level": levels[d.Severity],
			"message":   text(links.Replace(d.paragraph())),
			"locations": []any{map[string]any{"physicalLocation": place}},
		})
	}
	return JSON(w, map[string]any{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json",
		"version": "2.1.0",
		"runs": []any{map[string]any{
			"tool":       map[string]any{"driver": map[string]any{"name": "garnix2gha", "version": version, "rules": rules}},
			"columnKind": "unicodeCodePoints",
			"results":    results,
		}},
	})
}

func text(s string) map[string]any { return map[string]any{"text": s} }

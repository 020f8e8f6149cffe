// A text file, line by line.

package leftovers

import (
	"strings"
	"unicode/utf8"

	"garnix2gha/generator/diag"
)

// keepMark is what a line holds that names garnix on purpose.
const keepMark = "garnix2gha: keep"

// document is a text file, line by line.
type document struct {
	path  string
	lines []string // as they are, with their line ends
	fixed []string // as they become; "" is a line that goes
	class class
	place Kind // where checks are named: KindProtection, KindAutomerge or KindCheckWait; "" elsewhere
	opts  Options
	known []string // what may be named: the tool, the new cache, and garnix.yaml as long as it is there
}

// newDocument reads a file, which has no lines if there can be no trace in it.
func newDocument(path, text string, opts Options, known []string) *document {
	low := lowered(text)
	d := &document{path: path, opts: opts, known: known, class: classify(lowered(path), low)}
	d.place = d.class.place(lowered(path), low)
	if d.place == "" && !strings.Contains(low, "garnix") && !strings.Contains(text, keyStart) {
		return d
	}
	d.lines = strings.SplitAfter(text, "\n")
	if last := len(d.lines) - 1; d.lines[last] == "" {
		d.lines = d.lines[:last]
	}
	d.fixed = append(d.fixed, d.lines...)
	return d
}

// mention returns the offset of the first trace of garnix in a line, -1 if there is none, and whether the line holds the
// word in a form that may stay.
func (d *document) mention(line string) (at int, known bool) {
	masked := lowered(line)
	for _, text := range d.known {
		masked = strings.ReplaceAll(masked, text, strings.Repeat("_", len(text)))
	}
	at = strings.Index(masked, "garnix")
	known = at < 0 && strings.Contains(lowered(line), "garnix")
	for _, other := range []int{strings.Index(line, keyStart), d.checkName(line)} {
		if other >= 0 && (at < 0 || other < at) {
			at = other
		}
	}
	return at, known
}

func (d *document) pos(line, at int) diag.Pos {
	before := strings.TrimPrefix(d.lines[line][:at], "\ufeff")
	return diag.Pos{File: d.path, Line: line + 1, Column: utf8.RuneCountInString(before) + 1}
}

// ended splits a line from its line end.
func ended(line string) (body, end string) {
	body = strings.TrimRight(line, "\r\n")
	return body, line[len(body):]
}

// isComment knows the lines that are comments in Nix, YAML, TOML, the shell and their like.
func isComment(line string) bool {
	text := strings.TrimSpace(line)
	return strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "#!") || strings.HasPrefix(text, "//")
}

// lowered lowers ASCII letters only, so that offsets stay.
func lowered(s string) string {
	out := []byte(s)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return string(out)
}

package leftovers

import (
	"bytes"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"

	"garnix2gha/generator/diag"
)

// document is a text file with an index of its lines.
type document struct {
	path   string
	data   []byte
	low    []byte // data with ASCII letters lowered: same length, same offsets
	starts []int  // offset of the first byte of each line
	class  class
	own    bool     // written by garnix2gha
	waits  bool     // asks for checks somewhere
	pinned bool     // binds rules to an app somewhere
	nix    *nixFile // of class classNix; nil if garnix is not in it
}

// mention is one occurrence of "garnix"; tool marks the word garnix2gha, which is not garnix.
type mention struct {
	at   int
	tool bool
}

func newDocument(path string, data []byte) *document {
	d := &document{path: path, data: data, low: lowered(data), starts: []int{0}}
	for i, c := range data {
		if c == '\n' && i+1 < len(data) {
			d.starts = append(d.starts, i+1)
		}
	}
	d.class = classify(path, d.low)
	d.own = isOwn(path, d.low)
	if !bytes.Contains(d.low, []byte("garnix")) {
		return d
	}
	d.waits, d.pinned = waitText.Match(d.low), appText.Match(d.low)
	if d.class == classNix {
		d.nix = parseNix(data)
	}
	return d
}

func (d *document) mentions() []mention {
	var out []mention
	for i := 0; ; {
		n := bytes.Index(d.low[i:], []byte("garnix"))
		if n < 0 {
			return out
		}
		i += n
		rest := d.low[i+len("garnix"):]
		out = append(out, mention{at: i, tool: bytes.HasPrefix(rest, []byte("2gha"))})
		i += len("garnix")
	}
}

// line returns the 0-based line of an offset.
func (d *document) line(at int) int {
	return sort.Search(len(d.starts), func(i int) bool { return d.starts[i] > at }) - 1
}

// bounds returns the offsets of a line's first byte, of its end without the line break, and of the next line.
func (d *document) bounds(line int) (lo, hi, next int) {
	lo, next = d.starts[line], len(d.data)
	if line+1 < len(d.starts) {
		next = d.starts[line+1]
	}
	hi = lo + len(bytes.TrimRight(d.data[lo:next], "\r\n"))
	return lo, hi, next
}

func (d *document) text(line int) []byte {
	lo, hi, _ := d.bounds(line)
	return d.data[lo:hi]
}

func (d *document) lowText(line int) []byte {
	lo, hi, _ := d.bounds(line)
	return d.low[lo:hi]
}

func (d *document) pos(at int) diag.Pos {
	line := d.line(at)
	before := bytes.TrimPrefix(d.data[d.starts[line]:at], []byte("\ufeff"))
	return diag.Pos{File: d.path, Line: line + 1, Column: utf8.RuneCount(before) + 1}
}

// blank reports whether there are only blanks from lo to hi.
func (d *document) blank(lo, hi int) bool { return len(bytes.TrimLeft(d.data[lo:hi], " \t")) == 0 }

// excerptRunes bounds the text of a trace; excerptLead is how much of it stands before the mention at most.
const (
	excerptRunes = 160
	excerptLead  = 80
)

// excerpt returns a line around its first mention of garnix, fit to be printed.
func (d *document) excerpt(line int) string {
	text := []rune(strings.Trim(visible(redacted(string(d.text(line)))), " "))
	start := 0
	if at := firstMention(string(text)); at > excerptLead && len(text) > excerptRunes {
		start = min(at-excerptLead, len(text)-excerptRunes)
	}
	end := min(len(text), start+excerptRunes)
	out := string(text[start:end])
	if start > 0 {
		out = "…" + out
	}
	if end < len(text) {
		out += "…"
	}
	return out
}

// firstMention returns how many runes stand before the first "garnix", the word garnix2gha only if there is no other.
func firstMention(s string) int {
	low := string(lowered([]byte(s)))
	at := strings.Index(strings.ReplaceAll(low, "garnix2gha", "GARNIX2GHA"), "garnix")
	if at < 0 {
		at = max(0, strings.Index(low, "garnix"))
	}
	return utf8.RuneCountInString(s[:at])
}

// A netrc entry on one line: what follows its password is not shown at all.
var netrcLine = regexp.MustCompile(`(?i)^(.*\b(?:machine|login)\b.*?\bpassword)\s.*$`)

// secretText matches credentials as they stand beside the cache's name: words, settings, URLs, headers, tokens.
var secretText = regexp.MustCompile(
	`(?i)(\b(?:password|passwd)["']?(?:\s*[:=]\s*|\s+)["']?|(?:tokens?|secret)["']?\s*[:=]\s*["']?)([^\s"']+)` +
		`|(://[^\s/:@"']*:)([^\s/@"']+)@` +
		`|(\bauthorization["']?\s*[:=]\s*["']?(?:[a-z]+\s+)?|\bbearer\s+)([^\s"']+)` +
		`|((?:\s-u|--user)[\s=]*["']?)([^\s"':]+:[^\s"']+)` +
		`|()(\bgh[a-z]_[0-9A-Za-z]{10,}|github_pat_[0-9A-Za-z_]{10,}|eyJ[0-9A-Za-z_-]{10,}[0-9A-Za-z_.-]*)`)

// redacted hides credentials. A value that starts with ${ is a reference and stays.
func redacted(line string) string {
	if m := netrcLine.FindStringSubmatch(line); m != nil {
		line = m[1] + " ***"
	}
	return secretText.ReplaceAllStringFunc(line, func(found string) string {
		m := secretText.FindStringSubmatch(found)
		switch value := m[2] + m[4] + m[6] + m[8]; {
		case strings.HasPrefix(value, "${"):
			return found
		case m[3] != "":
			return m[3] + "***@"
		}
		return m[1] + m[5] + m[7] + m[9] + "***"
	})
}

// visible keeps text on its line and the terminal unharmed.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < ' ', r >= 0x7f && r < 0xa0, r == 0x2028, r == 0x2029, r >= 0x200b && r <= 0x200f,
			r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0xfeff:
			return utf8.RuneError
		}
		return r
	}, s)
}

// lowered lowers ASCII letters only, so that offsets stay.
func lowered(b []byte) []byte {
	out := bytes.Clone(b)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}

// mentionsGarnix reports whether s names garnix, the word garnix2gha apart.
func mentionsGarnix(s string) bool {
	return strings.Contains(strings.ReplaceAll(string(lowered([]byte(s))), "garnix2gha", ""), "garnix")
}

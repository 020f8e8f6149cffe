// Lists whose elements have lines of their own.

package leftovers

import (
	"iter"
	"slices"
	"strings"
)

// element is an element of a list that has its line to itself.
type element struct {
	head    string // indentation and, in YAML, the dash
	dash    bool
	quote   string
	text    string // without quotes
	comma   string
	comment string // with the blanks before it
}

var (
	elementLine = lazily(`^([ \t]*(- +)?)(?:(")([^"\\$]*)"|('')([^'$]*)''|(')([^'\\]*)'|([A-Za-z][^\s"'#,;\[\](){}]*))(,?)([ \t]*|[ \t]+#.*)$`)
	listStart   = lazily(`\[[ \t]*(?:#.*)?$`)
)

func elementOf(body string) (element, bool) {
	m := elementLine().FindStringSubmatch(body)
	if m == nil || m[9] == "or" { // of Nix
		return element{}, false
	}
	return element{
		head: m[1], dash: m[2] != "", quote: m[3] + m[5] + m[7], text: m[4] + m[6] + m[8] + m[9], comma: m[10], comment: m[11],
	}, true
}

// list is what stands around an element. closed: it was understood as a list from its start to its end.
type list struct {
	closed bool
	others []string // elements that stay: without garnix's
	before int      // the line of the element before, -1 without one
	last   bool     // no element follows
}

const listReach = 60 // lines that are looked at in each direction

// around goes through the lines before or after one, away from it. Several that a change made of one have the same at.
func (d *document) around(i, step int) iter.Seq2[int, string] {
	return func(yield func(at int, body string) bool) {
		for at := i + step; at >= 0 && at < len(d.fixed) && (at-i)*step <= listReach; at += step {
			parts := strings.Split(strings.TrimSuffix(d.fixed[at], "\n"), "\n")
			if step < 0 {
				slices.Reverse(parts)
			}
			for _, body := range parts {
				body = strings.TrimSuffix(body, "\r")
				if !isBlank(body) && !isComment(body) && !yield(at, body) {
					return
				}
			}
		}
	}
}

// brackets looks for the other elements of a list between brackets.
func (d *document) brackets(i int) list {
	l := list{before: -1, last: true}
	closed := 0
	for _, step := range []int{-1, 1} {
		for at, body := range d.around(i, step) {
			other, ok := elementOf(body)
			if !ok || other.dash {
				if step < 0 && listStart().MatchString(body) || step > 0 && strings.HasPrefix(strings.TrimSpace(body), "]") {
					closed++
				}
				break
			}
			l.add(other.text)
			if l.last = l.last && step < 0; step < 0 && l.before < 0 {
				l.before = at
			}
		}
	}
	if l.closed = closed == 2; !l.closed {
		l.others = nil
	}
	return l
}

func (l *list) add(text string) {
	if !isLiteral(text) {
		l.others = append(l.others, text)
	}
}

// dashes looks for the other items of a list of YAML, which stand at the same depth.
func (d *document) dashes(i int, e element) list {
	depth := func(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
	own := depth(e.head)
	l := list{closed: true}
	for _, step := range []int{-1, 1} {
		first := true
		for _, body := range d.around(i, step) {
			item := strings.HasPrefix(body[depth(body):]+" ", "- ")
			if first && step > 0 && depth(body) > own {
				return list{} // the item goes on
			}
			first = false
			if depth(body) < own || depth(body) == own && !item {
				break
			}
			if depth(body) > own {
				continue
			}
			if other, ok := elementOf(body); ok {
				l.add(other.text)
			} else {
				l.others = append(l.others, body)
			}
		}
	}
	return l
}

// withoutComma takes the comma behind an element that is the last now.
func withoutComma(line string) string {
	body, end := ended(line)
	start := strings.LastIndex(body, "\n") + 1
	e, ok := elementOf(body[start:])
	if !ok || e.comma == "" {
		return line
	}
	return strings.TrimSuffix(body, e.comma+e.comment) + e.comment + end
}

package leftovers

import (
	"bytes"
	"cmp"
	"slices"
)

// splice replaces lo:hi by text. secret marks text that must not be shown; empties, that a setting is left empty.
type splice struct {
	lo, hi  int
	text    string
	kind    Kind
	secret  bool
	empties bool
}

// span is a stretch of a document.
type span struct{ lo, hi int }

// accepted says which stretches may be changed.
type accepted func(s span) bool

// settle sorts splices and leaves out those that overlap an earlier one; the next run finds what they were for.
func settle(splices []splice) []splice {
	slices.SortStableFunc(splices, func(a, b splice) int { return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(a.hi, b.hi)) })
	end := 0
	return slices.DeleteFunc(splices, func(s splice) bool {
		if s.lo < end {
			return true
		}
		end = s.hi
		return false
	})
}

// covering returns the splice that takes away the byte at an offset.
func covering(splices []splice, at int) *splice {
	i, found := slices.BinarySearchFunc(splices, at, func(s splice, at int) int {
		switch {
		case s.hi <= at:
			return -1
		case s.lo > at:
			return 1
		}
		return 0
	})
	if !found {
		return nil
	}
	return &splices[i]
}

func applied(data []byte, splices []splice) []byte {
	out := make([]byte, 0, len(data))
	at := 0
	for _, s := range splices {
		out = append(out, data[at:s.lo]...)
		out = append(out, s.text...)
		at = s.hi
	}
	return append(out, data[at:]...)
}

// runs joins spans with only blanks between them, so that no two removals claim the same blank.
func (d *document) runs(spans []span) []span {
	var out []span
	for _, s := range spans {
		if n := len(out); n > 0 && d.blank(out[n-1].hi, s.lo) {
			out[n-1].hi = s.hi
			continue
		}
		out = append(out, s)
	}
	return out
}

// removal widens a span so that no stray blank or empty line stays: the whole line if nothing else is on it, else one
// side's blanks. within is what the span may grow to. glue stands in where two neighbours would touch.
func (d *document) removal(s, within span, glue string) splice {
	lineStart, _, _ := d.bounds(d.line(s.lo))
	_, lineEnd, next := d.bounds(d.line(max(s.lo, s.hi-1)))
	start, stop := max(lineStart, within.lo), min(lineEnd, within.hi)
	before, after := d.data[start:s.lo], d.data[s.hi:stop]
	left, right := len(bytes.TrimRight(before, " \t")), len(after)-len(bytes.TrimLeft(after, " \t"))
	switch atEnd := right == len(after); {
	case left == 0 && atEnd && lineStart >= within.lo && next <= within.hi:
		return splice{lo: start, hi: next}
	case left == 0: // first on the line, or of what may be changed: what follows moves up
		return splice{lo: s.lo, hi: s.hi + right}
	case left < len(before) && (right > 0 || atEnd):
		return splice{lo: start + left, hi: s.hi}
	case left == len(before) && right == 0 && !atEnd:
		return splice{lo: s.lo, hi: s.hi, text: glue}
	}
	return splice{lo: s.lo, hi: s.hi}
}

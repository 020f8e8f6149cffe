package leftovers

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// An image in Markdown, inline or by reference, alone or as the text of a link. No part crosses a line or holds a
// bracket, so that every match ends soon.
const (
	markdownTarget = `\(\s*<?([^\s<>()]*)>?(?:[ \t]+(?:"[^"\n]*"|'[^'\n]*'))?\s*\)`
	markdownImage  = `!\[([^\[\]\n]*)\](?:` + markdownTarget + `|\[([^\[\]\n]*)\])`
)

var (
	markdownBadge = regexp.MustCompile(`\[\s*` + markdownImage + `\s*\](?:` + markdownTarget + `|\[([^\[\]\n]*)\])|` + markdownImage)
	markdownLabel = regexp.MustCompile(`\[([^\[\]\n]+)\]`)
	// A definition of a reference: [label]: target.
	markdownDefinition = regexp.MustCompile(`(?m)^ {0,3}\[([^\[\]\n]+)\]:[ \t]*<?([^\s<>]+)>?[^\n]*$`)

	htmlBadge  = regexp.MustCompile(`(?i)<a\b[^<>]*>\s*<img\b[^<>]*>\s*</a\s*>|<img\b[^<>]*>`)
	htmlSource = regexp.MustCompile(`(?i)<img\b[^<>]*?\bsrc\s*=\s*["']?([^"'\s>]+)`)
	orgBadge   = regexp.MustCompile(`\[\[([^\[\]\n]*)\](?:\[([^\[\]\n]*)\])?\]`)

	// What may stand beside a badge on a line that goes with it: a line break, a list marker, a forced break.
	oneBreak    = regexp.MustCompile(`^[ \t]*(?:\r?\n[ \t]*)?$`)
	listMarker  = regexp.MustCompile(`^[ \t]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]+$`)
	forcedBreak = regexp.MustCompile(`^[ \t]*(?:\\|(?i:<br[ \t]*/?>))[ \t]*$`)
)

// isBadge knows the images that garnix served or that people drew for it. A badge about a repository that happens to
// be called garnix is not one.
func isBadge(target string) bool {
	low := strings.ReplaceAll(string(lowered([]byte(target))), "garnix2gha", "")
	low = strings.NewReplacer("%2f", "/", "%3a", ":").Replace(low)
	switch {
	case strings.Contains(low, "garnix.io/api/badges"):
		return true
	case strings.Contains(low, "img.shields.io/"), strings.Contains(low, "badgen.net/"):
		return strings.Contains(low, "garnix.io") || strings.Contains(low, "/badge/") && strings.Contains(low, "garnix")
	}
	return false
}

// badgeSplices takes out badges, together with the link around each and with the definitions that served nothing else.
func (d *document) badgeSplices(accept accepted) []splice {
	var spans []span
	switch d.class {
	case classMarkdown:
		fences := d.fences()
		spans = slices.DeleteFunc(slices.Concat(d.markdownBadges(accept), d.htmlBadges(accept)), func(s span) bool {
			return inside(fences, s.lo) || d.wrapped(s)
		})
		spans = append(spans, d.servedDefinitions(spans, accept)...)
	case classHTML:
		spans = slices.DeleteFunc(d.htmlBadges(accept), d.wrapped)
	case classOrg:
		for _, m := range orgBadge.FindAllSubmatchIndex(d.data, -1) {
			image := span{m[2], m[3]}
			if m[4] >= 0 {
				image = span{m[4], m[5]}
			}
			if isBadge(d.part(image)) && accept(span{m[0], m[1]}) {
				spans = append(spans, span{m[0], m[1]})
			}
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	var out []splice
	for _, s := range spans {
		// Badges below each other go as one, so that the blank lines around them are seen together.
		if n := len(out); n > 0 && s.lo >= out[n-1].hi && oneBreak.Match(d.data[out[n-1].hi:s.lo]) {
			out[n-1].hi = s.hi
			continue
		}
		out = append(out, splice{lo: s.lo, hi: s.hi})
	}
	for i, s := range out {
		out[i] = d.badgeRemoval(span{s.lo, s.hi})
	}
	return out
}

func (d *document) part(s span) string {
	if s.lo < 0 {
		return ""
	}
	return string(d.data[s.lo:s.hi])
}

func (d *document) markdownBadges(accept accepted) []span {
	definitions := map[string][]int{}
	for _, m := range markdownDefinition.FindAllSubmatchIndex(d.data, -1) {
		label := strings.ToLower(string(d.data[m[2]:m[3]]))
		if definitions[label] == nil { // the first definition counts
			definitions[label] = m
		}
	}
	var out []span
	for _, m := range markdownBadge.FindAllSubmatchIndex(d.data, -1) {
		// Groups of a linked image: alt, target, label, then the link's; of an image alone: alt, target, label.
		group := func(n int) span { return span{m[2*n], m[2*n+1]} }
		first := 1
		if m[2] < 0 {
			first = 6
		}
		whole := span{m[0], m[1]}
		target, takes := d.part(group(first+1)), accept(whole)
		if label := group(first + 2); label.lo >= 0 {
			name := d.part(label)
			if name == "" {
				name = d.part(group(first))
			}
			// The line may name garnix only in the definition, and goes with that.
			if definition := definitions[strings.ToLower(name)]; definition != nil {
				target = d.part(span{definition[4], definition[5]})
				takes = takes || accept(span{definition[0], definition[1]})
			}
		}
		if takes && isBadge(target) {
			out = append(out, whole)
		}
	}
	return out
}

// servedDefinitions returns the definitions of references to garnix that only the badges in spans used.
func (d *document) servedDefinitions(spans []span, accept accepted) []span {
	definitions := markdownDefinition.FindAllSubmatchIndex(d.data, -1)
	label := func(m []int) string { return strings.ToLower(string(d.data[m[2]:m[3]])) }
	count := func(uses map[string]int, text []byte) {
		for _, m := range markdownLabel.FindAllSubmatch(text, -1) {
			uses[strings.ToLower(string(m[1]))]++
		}
	}
	uses, gone := map[string]int{}, map[string]int{}
	count(uses, d.data)
	for _, m := range definitions {
		uses[label(m)]-- // its own label
	}
	for _, s := range spans {
		count(gone, d.data[s.lo:s.hi])
	}
	var out []span
	for _, m := range definitions {
		s := span{m[0], m[0] + len(bytes.TrimRight(d.data[m[0]:m[1]], "\r"))}
		if n := gone[label(m)]; n > 0 && n == uses[label(m)] && mentionsGarnix(d.part(span{m[4], m[5]})) && accept(s) {
			out = append(out, s)
		}
	}
	return out
}

// wrapped reports whether a badge is all that stands in a link of the other notation, which would stay behind empty,
// or in inline code.
func (d *document) wrapped(s span) bool {
	before, after := bytes.TrimSpace(d.data[max(0, s.lo-wrapReach):s.lo]), bytes.TrimSpace(d.low[s.hi:min(len(d.low), s.hi+wrapReach)])
	switch {
	case bytes.HasSuffix(before, []byte("`")):
		return true
	case bytes.HasSuffix(before, []byte("[")):
		return bytes.HasPrefix(after, []byte("]"))
	}
	return bytes.HasSuffix(before, []byte(">")) && bytes.HasPrefix(after, []byte("</a"))
}

// wrapReach is how far wrapped looks for what stands around a badge.
const wrapReach = 200

// htmlBadges finds images outside of <picture>, whose other sources would stay behind.
func (d *document) htmlBadges(accept accepted) []span {
	pictures := d.regions("<picture", "</picture")
	var out []span
	for _, m := range htmlBadge.FindAllIndex(d.data, -1) {
		s := span{m[0], m[1]}
		source := htmlSource.FindSubmatch(d.data[s.lo:s.hi])
		if source != nil && isBadge(string(source[1])) && !inside(pictures, s.lo) && accept(s) {
			out = append(out, s)
		}
	}
	return out
}

// inside reports whether an offset is in one of the spans, which are in order.
func inside(spans []span, at int) bool {
	i := sort.Search(len(spans), func(i int) bool { return spans[i].hi > at })
	return i < len(spans) && spans[i].lo <= at
}

// regions returns the stretches between two lowered marks; one that does not end goes to the end of the file.
func (d *document) regions(open, end string) []span {
	var out []span
	for i := 0; ; {
		lo := bytes.Index(d.low[i:], []byte(open))
		if lo < 0 {
			return out
		}
		lo += i
		hi := bytes.Index(d.low[lo:], []byte(end))
		if hi < 0 {
			return append(out, span{lo, len(d.low)})
		}
		i = lo + hi
		out = append(out, span{lo, i})
	}
}

// fences returns the fenced code blocks of Markdown.
func (d *document) fences() []span {
	var out []span
	open, mark := -1, ""
	for line := range d.starts {
		text := strings.TrimLeft(string(d.text(line)), " \t>")
		switch lo, _, next := d.bounds(line); {
		case open < 0 && (strings.HasPrefix(text, "```") || strings.HasPrefix(text, "~~~")):
			open, mark = lo, text[:len(text)-len(strings.TrimLeft(text, text[:1]))]
		case open >= 0 && strings.HasPrefix(text, mark) && strings.Trim(text, mark[:1]+" \t") == "":
			out = append(out, span{open, next})
			open = -1
		}
	}
	if open >= 0 {
		out = append(out, span{open, len(d.data)})
	}
	return out
}

// badgeRemoval removes a badge: its line if nothing else is on it, and then one of two blank lines that would meet.
func (d *document) badgeRemoval(s span) splice {
	all := span{0, len(d.data)}
	first, last := d.line(s.lo), d.line(max(s.lo, s.hi-1))
	lo, _, _ := d.bounds(first)
	_, hi, next := d.bounds(last)
	alone := (d.blank(lo, s.lo) || listMarker.Match(d.data[lo:s.lo])) && (d.blank(s.hi, hi) || forcedBreak.Match(d.data[s.hi:hi]))
	if !alone {
		removed := d.removal(s, all, "")
		removed.kind = KindBadge
		return removed
	}
	blankLine := func(line int) bool {
		return line >= 0 && line < len(d.starts) && len(bytes.TrimSpace(d.text(line))) == 0
	}
	if blankLine(last+1) && (first == 0 || blankLine(first-1)) {
		_, _, next = d.bounds(last + 1)
	}
	return splice{lo: lo, hi: next, kind: KindBadge}
}

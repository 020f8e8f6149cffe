package leftovers

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// confLine is a setting of caches or keys in nix.conf form, in lowered text.
var confLine = regexp.MustCompile(`^\s*((?:extra-)?(?:substituters|trusted-substituters|trusted-public-keys|binary-caches|trusted-binary-caches|binary-cache-public-keys))[ \t]*=`)

// confBlock is a YAML key whose literal block is nix.conf text, in lowered text. A folded block joins its lines and is
// none.
var confBlock = regexp.MustCompile(`^([ \t]*(?:-[ \t]+)?)["']?(?:extra[-_]nix[-_]config|extra[-_]nix[-_]conf|extra[-_]conf|nix[-_]conf|nix[-_]config|extranixconfig)["']?[ \t]*:[ \t]*\|[-+0-9]*[ \t]*(?:#.*)?$`)

// wordSplices takes garnix's words out of a text of words, the first of them in exchange for the new ones that are not
// there yet.
func (d *document) wordSplices(within span, kind Kind, wanted []string, accept accepted) []splice {
	words := wordsIn(d.data, within)
	for _, w := range words {
		wanted = slices.DeleteFunc(wanted, func(s string) bool { return canonical(s) == canonical(string(d.data[w.lo:w.hi])) })
	}
	var out []splice
	var gone []span
	for _, w := range words {
		switch {
		case !isCacheToken(string(d.data[w.lo:w.hi])) || !accept(w):
		case len(wanted) > 0:
			out = append(out, splice{lo: w.lo, hi: w.hi, text: strings.Join(wanted, " "), kind: kind})
			wanted = nil
		default:
			gone = append(gone, w)
		}
	}
	for _, s := range d.runs(gone) {
		removed := d.removal(s, within, " ")
		removed.kind, removed.empties = kind, len(gone) == len(words)
		out = append(out, removed)
	}
	return out
}

func wordsIn(data []byte, within span) []span {
	var out []span
	for i := within.lo; i < within.hi; {
		n := bytes.IndexFunc(data[i:within.hi], func(r rune) bool { return !strings.ContainsRune(" \t\r\n", r) })
		if n < 0 {
			break
		}
		lo := i + n
		hi := within.hi
		if n := bytes.IndexAny(data[lo:within.hi], " \t\r\n"); n >= 0 {
			hi = lo + n
		}
		out = append(out, span{lo, hi})
		i = hi
	}
	return out
}

// confSplices mends the lines in nix.conf form that lie within a span as whole lines. A setting that becomes empty
// goes: an empty list would switch every cache off.
func (d *document) confSplices(within span, r Replacement, accept accepted) []splice {
	var out []splice
	if within.lo >= within.hi {
		return nil
	}
	for line := d.line(within.lo); line < len(d.starts); line++ {
		lo, hi, next := d.bounds(line)
		if hi > within.hi {
			break
		}
		m := confLine.FindSubmatchIndex(d.low[lo:hi])
		if lo < within.lo || m == nil || !accept(span{lo, hi}) {
			continue
		}
		value, comment := span{lo + m[1], hi}, span{hi, hi}
		if n := bytes.IndexByte(d.data[value.lo:hi], '#'); n >= 0 {
			value.hi, comment.lo = value.lo+n, value.lo+n
		}
		setting := string(d.low[lo+m[2] : lo+m[3]])
		always := func(span) bool { return true }
		splices := d.wordSplices(value, KindNixConf, r.forSetting(setting), always)
		if len(splices) == 0 {
			continue
		}
		ours := mentionsGarnix(string(d.data[comment.lo:comment.hi]))
		switch {
		case len(bytes.TrimSpace(applied(d.data[value.lo:value.hi], shifted(splices, -value.lo)))) > 0:
			out = append(out, splices...)
			if ours {
				start := value.lo + len(bytes.TrimRight(d.data[value.lo:value.hi], " \t"))
				// The blanks before the comment may already go with the last word.
				start = max(start, settle(splices)[len(splices)-1].hi)
				out = append(out, splice{lo: start, hi: comment.hi, kind: KindNixConf})
			}
		case comment.lo == comment.hi || ours:
			out = append(out, splice{lo: lo, hi: next, kind: KindNixConf})
		}
	}
	return out
}

func shifted(splices []splice, by int) []splice {
	out := slices.Clone(splices)
	for i := range out {
		out[i].lo += by
		out[i].hi += by
	}
	return settle(out)
}

// yamlSplices mends nix.conf text in YAML, and takes away the comment that names garnix's schema.
func (d *document) yamlSplices(r Replacement, accept accepted) []splice {
	var out []splice
	for line := 0; line < len(d.starts); line++ {
		lo, hi, next := d.bounds(line)
		low := d.low[lo:hi]
		if bytes.HasPrefix(bytes.TrimLeft(low, " \t\ufeff"), []byte("#")) && schemaText.Match(low) && accept(span{lo, hi}) {
			out = append(out, splice{lo: lo, hi: next, kind: KindSchema})
		}
		m := confBlock.FindSubmatch(low)
		if m == nil {
			continue
		}
		end := d.blockEnd(line, len(m[1]))
		if end > line {
			_, _, stop := d.bounds(end)
			out = append(out, d.confSplices(span{next, stop}, r, accept)...)
		}
		line = end
	}
	return out
}

// blockEnd returns the last line of the block below a key that stands at a column.
func (d *document) blockEnd(line, column int) int {
	for next := line + 1; next < len(d.starts); next++ {
		text := d.text(next)
		if len(bytes.TrimSpace(text)) > 0 && len(text)-len(bytes.TrimLeft(text, " ")) <= column {
			break
		}
		line = next
	}
	return line
}

// netrcSplices takes out the entries of garnix's cache. A file with macros or comments in an entry is left alone.
func (d *document) netrcSplices(accept accepted) []splice {
	all := span{0, len(d.data)}
	words := wordsIn(d.data, all)
	text := func(i int) string { return string(d.low[words[i].lo:words[i].hi]) }
	for i := range words {
		if text(i) == "macdef" {
			return nil
		}
	}
	var out []splice
	for i := 0; i+1 < len(words); i++ {
		if text(i) != "machine" || text(i+1) != "cache.garnix.io" || !accept(span{words[i].lo, words[i+1].hi}) {
			continue
		}
		end, clean := i+2, true
		for end < len(words) && text(end) != "machine" && text(end) != "default" {
			clean = clean && !strings.HasPrefix(text(end), "#")
			if end++; text(end-1) == "login" || text(end-1) == "password" || text(end-1) == "account" {
				end = min(end+1, len(words)) // a value, whatever it is
			}
		}
		if clean {
			removed := d.removal(span{words[i].lo, words[end-1].hi}, all, "")
			removed.kind, removed.secret = KindNetrc, true
			out = append(out, removed)
		}
		i = end - 1
	}
	return out
}

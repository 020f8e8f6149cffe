package config

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
)

// scalar types a scalar as garnix's YAML library did (snoyberg/yaml, textToValue): quoted and folded scalars and !!str
// are text; everything else, literal blocks and other tags included, is typed by its characters.
func scalar(n *yaml.Node, pos diag.Pos) *value {
	v := &value{kind: textKind, text: n.Value, pos: pos}
	const textStyles = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.FoldedStyle
	if n.Style&textStyles != 0 || (n.Style&yaml.TaggedStyle != 0 && n.ShortTag() == "!!str") {
		return v
	}
	switch {
	case slices.Contains([]string{"", "~", "null", "Null", "NULL"}, n.Value):
		v.kind = nullKind
	case spells(n.Value, "y", "yes", "on", "true"):
		v.kind, v.truth = boolKind, true
	case spells(n.Value, "n", "no", "off", "false"):
		v.kind = boolKind
	case isNumber(n.Value):
		v.kind = numberKind
	}
	return v
}

// spells reports whether text is one of the words in lower, upper or title case.
func spells(text string, words ...string) bool {
	return slices.ContainsFunc(words, func(word string) bool {
		upper := strings.ToUpper(word)
		return text == word || text == upper || text == upper[:1]+word[1:]
	})
}

// isNumber reports whether garnix read the text as a number: 0x or 0o and digits, or a decimal whose fraction may be
// empty and whose exponent may not. A sign goes with decimals only.
func isNumber(text string) bool {
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		return digits != "" && strings.Trim(digits, "0123456789abcdefABCDEF") == ""
	}
	if digits, ok := strings.CutPrefix(text, "0o"); ok {
		return digits != "" && strings.Trim(digits, "01234567") == ""
	}
	rest, ok := cutDigits(cutSign(text))
	if !ok {
		return false
	}
	if fraction, found := strings.CutPrefix(rest, "."); found {
		rest, _ = cutDigits(fraction)
	}
	if rest == "" {
		return true
	}
	if rest[0] != 'e' && rest[0] != 'E' {
		return false
	}
	rest, ok = cutDigits(cutSign(rest[1:]))
	return ok && rest == ""
}

func cutSign(text string) string {
	if text != "" && (text[0] == '+' || text[0] == '-') {
		return text[1:]
	}
	return text
}

// cutDigits removes leading digits; ok says that there was one.
func cutDigits(text string) (rest string, ok bool) {
	rest = strings.TrimLeft(text, "0123456789")
	return rest, len(rest) < len(text)
}

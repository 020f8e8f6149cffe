package settings

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"garnix2gha/generator/diag"

	"gopkg.in/yaml.v3"
)

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// problem is what a rule has against a text. The message continues "cache.name "; it quotes the text only where a
// secret pasted by mistake cannot be in it.
type problem struct {
	code, hint, message string
}

// text reads a line of text that passes the check; a nil check accepts any.
func (p *parser) text(v value, dst *string, check func(string) *problem) bool {
	if !p.expect(v, yaml.ScalarNode, "!!str") || !p.clean(v, "") {
		return false
	}
	if check != nil {
		if bad := check(v.node.Value); bad != nil {
			p.fault(v.path, bad.code, bad.hint, "%s %s", v.path, bad.message)
			return false
		}
	}
	*dst = v.node.Value
	return true
}

// clean refuses what could leave the place that a setting is written to: an expression, which GitHub would
// evaluate, and invisible characters, except the allowed ones.
func (p *parser) clean(v value, allowed string) bool {
	const code = "expression-in-setting"
	switch {
	case strings.Contains(v.node.Value, "${{"):
		p.fault(v.path, code, "settings go into workflows, where GitHub would evaluate it; write the plain value, or the name of a secret or variable",
			"%s must not hold an expression", v.path)
	case strings.ContainsFunc(v.node.Value, func(r rune) bool { return invisible(r) && !strings.ContainsRune(allowed, r) }):
		p.fault(v.path, code, "write one line of visible text", "%s must not hold control characters or line breaks", v.path)
	default:
		return true
	}
	return false
}

// invisible reports control characters, line breaks of any sort, and marks that reorder or hide text.
func invisible(r rune) bool {
	return r < ' ' || (r >= 0x7f && r < 0xa0) || r == 0x2028 || r == 0x2029 || r == 0xfeff ||
		(r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069)
}

// texts reads a list of texts that pass the check, each given once; with single, one text stands for a list of one.
// Nothing is returned unless all is well.
func (p *parser) texts(v value, single bool, check func(string) *problem) ([]string, bool) {
	var texts []string
	if single && v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!str" {
		var text string
		ok := p.text(v, &text, check)
		return []string{text}, ok
	}
	fine := true
	isList := p.list(v, func(item value) {
		var text string
		if !p.text(item, &text, check) {
			fine = false
			return
		}
		if slices.Contains(texts, text) {
			p.fault(item.path, "duplicate-value", "remove one", "%s repeats an earlier entry", item.path)
			fine = false
			return
		}
		texts = append(texts, text)
	})
	if !isList || !fine {
		p.faulty[v.path] = true
		return nil, false
	}
	return texts, true
}

// someTexts is texts for a list that must not be empty.
func (p *parser) someTexts(v value, single bool, hint string, check func(string) *problem) ([]string, bool) {
	texts, ok := p.texts(v, single, check)
	if ok && len(texts) == 0 {
		p.fault(v.path, "bad-value", hint, "%s must not be empty", v.path)
		return nil, false
	}
	return texts, ok
}

func (p *parser) boolean(v value, dst *bool) {
	if !p.expect(v, yaml.ScalarNode, "!!bool") {
		return
	}
	switch v.node.Value {
	case "true":
		*dst = true
	case "false":
		*dst = false
	default:
		p.fault(v.path, "wrong-type", "write true or false, in lower case", "%s must be true or false", v.path)
	}
}

// integer reads a whole number between low and high, both included.
func (p *parser) integer(v value, dst *int, low, high int) {
	if !p.expect(v, yaml.ScalarNode, "!!int") {
		return
	}
	if !decimal.MatchString(v.node.Value) {
		p.fault(v.path, "wrong-type", "write a whole number in decimal digits", "%s must be a whole number", v.path)
		return
	}
	n, err := strconv.Atoi(v.node.Value)
	if err != nil || n < low || n > high {
		p.fault(v.path, "bad-value", "", "%s must be from %d to %d", v.path, low, high)
		return
	}
	*dst = n
}

// choice reads one of a few words.
func choice[T ~string](p *parser, v value, dst *T, options ...T) {
	words := make([]string, len(options))
	for i, option := range options {
		words[i] = string(option)
	}
	if v.node.Kind == yaml.ScalarNode && slices.Contains([]string{"!!bool", "!!int", "!!float"}, v.node.ShortTag()) {
		p.fault(v.path, "wrong-type", "", "%s must be %s", v.path, oneOf(words))
		return
	}
	var word string
	p.text(v, &word, func(text string) *problem {
		if slices.Contains(words, text) {
			return nil
		}
		bad := problem{code: "bad-value", message: "must be " + oneOf(words) + ", not " + diag.Excerpt(text)}
		if near := diag.Nearest(text, words); near != "" {
			bad.hint = "did you mean " + strconv.Quote(near) + "?"
		}
		return &bad
	})
	if word != "" {
		*dst = T(word)
	}
}

// oneOf renders "a, b or c".
func oneOf(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

package settings

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/document"
)

// complaint is what a rule has against a setting. The message follows the setting's name; it quotes the text only where
// a secret pasted by mistake cannot be in it.
type complaint struct{ code, message, hint string }

// validate holds a file to the schema, reports the first rule that each value breaks, and returns where these stand.
func (p *parser) validate(file any) (broken [][]string) {
	for _, b := range p.breaches(book(), file) {
		unknown, ok := b.value.([]string)
		if !ok {
			broken = append(broken, b.at)
			p.violation(b)
			continue
		}
		for _, key := range unknown {
			broken = append(broken, append(slices.Clip(b.at), key))
		}
		p.unknownKeys(b.at, unknown, b.rule)
	}
	return broken
}

// violation reports a broken rule in the schema's words, where it has any.
func (p *parser) violation(b breach) {
	at, rule := strings.Join(b.at, "."), b.rule
	n := p.nodes[at]
	c := complaint{code: "bad-value", message: "is not allowed here"}
	switch b.keyword {
	case "type":
		c = wrongType(n, rule)
	case "uniqueItems":
		c = complaint{code: "duplicate-value", message: "repeats an earlier entry", hint: "remove one"}
	case "enum":
		got := fmt.Sprint(b.value)
		c.message = fmt.Sprintf("must be %s, not %s", diag.Enumerate(words(rule["enum"]), "or"), diag.Excerpt(got))
		if c.hint = diag.DidYouMean(got, words(rule["enum"])); c.hint != "" {
			rule = nil // no other words tell it better
		}
	case "minimum", "maximum":
		c.message = fmt.Sprintf("must be from %v to %v", rule["minimum"], rule["maximum"])
	case "minItems":
		c.message = "must not be empty"
	case "required":
		c = complaint{code: "missing-key", message: "needs " + strings.Join(words(rule["required"]), " and ")}
	}
	c = c.inWordsOf(rule, b.keyword)
	if lines := p.badLines(n, object(rule["not"])); b.keyword == "not" && lines != nil {
		for _, line := range lines {
			p.diags.Errorf(line, c.code, c.hint, "%s %s", at, c.message)
		}
		return
	}
	p.complain(at, c)
}

// inWordsOf replaces what the schema puts in other words.
func (c complaint) inWordsOf(rule map[string]any, keyword string) complaint {
	if c.code == "empty-value" {
		return c
	}
	own := object(object(rule["x-errors"])[keyword])
	text := func(key, standard string) string {
		word, _ := own[key].(string)
		return cmp.Or(word, standard)
	}
	return complaint{code: text("code", c.code), message: text("message", c.message), hint: text("hint", c.hint)}
}

// complain reports an error at a setting, unless something else was said of it.
func (p *parser) complain(path string, c complaint) {
	if !p.faulty[path] {
		p.faulty[path] = true
		p.diags.Errorf(p.places.at(path), c.code, c.hint, "%s %s", cmp.Or(path, "the file"), c.message)
	}
}

// badLines are the lines of a literal block that a forbidden pattern meets; nil if it does not speak of lines.
func (p *parser) badLines(n *yaml.Node, forbidden map[string]any) []diag.Pos {
	pattern, _ := forbidden["pattern"].(string)
	if n == nil || n.Style&yaml.LiteralStyle == 0 || !strings.HasPrefix(pattern, "(^|\n)") {
		return nil
	}
	var lines []diag.Pos
	for i, line := range strings.Split(n.Value, "\n") {
		if p.expression(pattern).MatchString(line) {
			lines = append(lines, diag.Pos{File: p.places.file, Line: n.Line + 1 + i})
		}
	}
	return lines
}

func (p *parser) unknownKeys(at, keys []string, rule map[string]any) {
	known := slices.Sorted(maps.Keys(object(rule["properties"])))
	unknown := map[string]bool{}
	for _, key := range keys {
		unknown[key] = true
	}
	noSecret := object(definition("noSecret"))
	for key, value := range document.Pairs(p.nodes[strings.Join(at, ".")]) {
		if !unknown[key.Value] {
			continue
		}
		unknown[key.Value] = false // a second one is a repeated key
		what := "unknown key " + diag.Excerpt(key.Value) + within(strings.Join(at, "."))
		hint := strings.TrimLeft(diag.DidYouMean(key.Value, known)+" known keys: "+strings.Join(known, ", "), " ")
		c := complaint{code: "unknown-key", message: what, hint: hint}.inWordsOf(rule, "additionalProperties")
		if p.breaches(noSecret, value.Value) != nil {
			c = complaint{}.inWordsOf(noSecret, "not")
			c.message = what + " " + c.message
		}
		p.diags.Errorf(p.pos(key), c.code, c.hint, "%s", c.message)
	}
}

// wrongType says what a value should have been and what it is.
func wrongType(n *yaml.Node, rule map[string]any) complaint {
	want := words(rule["type"])
	got := n.ShortTag()
	if got == "!!null" {
		return complaint{code: "empty-value", message: "has no value", hint: "give it a value, or remove it to get the default"}
	}
	names := map[string]string{
		"object": "a mapping", "array": "a list", "string": "text", "boolean": "true or false", "integer": "a whole number",
		"!!map": "a mapping", "!!seq": "a list", "!!str": "text", "!!bool": "true or false", "!!int": "a whole number",
		"!!float": "a number", "!!timestamp": "a date",
	}
	var wanted []string
	for _, name := range want {
		if name != "null" {
			wanted = append(wanted, names[name])
		}
	}
	c := complaint{code: "wrong-type", message: "must be " + diag.Enumerate(wanted, "or")}
	if rule["enum"] != nil {
		c.message = "must be " + diag.Enumerate(words(rule["enum"]), "or")
	}
	if found := cmp.Or(names[got], "a value of type "+diag.Excerpt(got)); found != wanted[0] {
		c.message += ", not " + found
	}
	switch {
	case want[0] == "string" && !strings.HasPrefix(got, "!!"):
		c.hint = "quote text that begins with an exclamation mark"
	case want[0] == "string" && n.Kind == yaml.ScalarNode && rule["enum"] == nil:
		c.hint = "quote it to make it text"
	case want[0] == "boolean":
		c.hint = "write true or false, in lower case and without quotes"
	case want[0] == "integer":
		c.hint = "write a whole number in decimal digits, without quotes"
	case want[0] == "array" && n.Kind == yaml.ScalarNode:
		c.hint = "write it as a list: put square brackets around it"
	}
	return c
}

// words are the texts of a list; a value that is none is its only entry.
func words(value any) []string {
	items, ok := value.([]any)
	if !ok && value != nil {
		items = []any{value}
	}
	var out []string
	for _, word := range items {
		out = append(out, fmt.Sprint(word))
	}
	return out
}

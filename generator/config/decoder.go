package config

import (
	"cmp"
	"fmt"
	"slices"

	"garnix2gha/generator/diag"
)

// decoder turns values into a Config, as garnix's codecs did, and goes on after a fault.
type decoder struct {
	diags  diag.List
	keys   []Key
	budget int // characters that may still be decoded; aliases could repeat them without end
}

// place is a value together with where it was found, for messages.
type place struct {
	path  string // "builds[0].include"; empty at the top
	pos   diag.Pos
	value *value
}

// item returns the i-th item of a list.
func (p place) item(i int) place {
	v := p.value.items[i]
	return place{path: fmt.Sprintf("%s[%d]", p.path, i), pos: v.pos, value: v}
}

// child returns a field of a mapping; ok is false if there is none.
func (p place) child(key string) (place, bool) {
	f, ok := p.value.get(key)
	return place{path: join(p.path, key), pos: f.pos, value: f.value}, ok
}

func join(path, key string) string {
	if path == "" {
		return diag.OneLine(key, 80)
	}
	return path + "." + diag.OneLine(key, 80)
}

// name says which value a message is about.
func (p place) name() string { return cmp.Or(p.path, "the top level") }

// spend takes n characters from the budget; the answer is no, and said once, when it runs out.
func (d *decoder) spend(p place, n int) bool {
	if d.budget < 0 {
		return false
	}
	if d.budget -= n; d.budget < 0 {
		d.diags.Errorf(p.pos, "config-too-large", "write the values out", "%s: aliases expand to too many values", p.name())
	}
	return d.budget >= 0
}

// mapping checks that p is a mapping and records its keys, warning of those that garnix ignored.
func (d *decoder) mapping(p place, l level) bool {
	if p.value.kind != mappingKind {
		d.wrongType(p, "a mapping", l.hint)
		return false
	}
	for _, f := range p.value.fields {
		if !d.spend(p, 1+len(f.key)) {
			return false
		}
		kind := l.kindOf(f.key)
		d.keys = append(d.keys, Key{Path: join(p.path, f.key), Pos: f.pos, Kind: kind})
		if kind != KeyRead {
			d.ignoredKey(f, kind, l)
		}
	}
	return true
}

// list checks that p is a list and returns its items.
func (d *decoder) list(p place, hint string) []place {
	if p.value.kind != listKind {
		d.wrongType(p, "a list", hint)
		return nil
	}
	if !d.spend(p, len(p.value.items)) {
		return nil
	}
	items := make([]place, len(p.value.items))
	for i := range items {
		items[i] = p.item(i)
	}
	return items
}

func (d *decoder) text(p place, hint string) (text Text, ok bool) {
	if p.value.kind != textKind {
		switch p.value.kind {
		case boolKind, numberKind:
			hint = "quote it: " + diag.Excerpt(p.value.text)
		}
		d.wrongType(p, "text", hint)
		return Text{Pos: p.value.pos}, false
	}
	return Text{Value: p.value.text, Pos: p.value.pos}, d.spend(p, len(p.value.text))
}

func (d *decoder) flag(p place) Flag {
	if p.value.kind != boolKind {
		d.wrongType(p, "a boolean", "write true or false, without quotes")
	}
	return Flag{Value: p.value.truth, Pos: p.value.pos}
}

// choice is a text out of a few.
func (d *decoder) choice(p place, known ...string) string {
	text, ok := d.text(p, "")
	if !ok || slices.Contains(known, text.Value) {
		return text.Value
	}
	hint := "garnix knew " + enumerate(known)
	if near := diag.Nearest(text.Value, known); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	d.diags.Errorf(text.Pos, "config-value", hint, "%s: unknown value %s", p.name(), diag.Excerpt(text.Value))
	return ""
}

// required returns a field that must be there.
func (d *decoder) required(p place, key, hint string) (place, bool) {
	c, ok := p.child(key)
	if !ok {
		d.diags.Errorf(p.value.pos, "config-missing", hint, "%s: missing", join(p.path, key))
	}
	return c, ok
}

func (d *decoder) wrongType(p place, want, hint string) {
	if p.value.kind != nullKind {
		d.diags.Errorf(p.value.pos, "config-type", hint, "%s: expected %s, not %s", p.name(), want, p.value.describe())
		return
	}
	d.diags.Errorf(p.pos, "config-null", "give it a value, or remove the key to get garnix's default",
		"%s: null is not accepted, expected %s", p.name(), want)
}

// sortedKeys returns the recorded keys in file order.
func (d *decoder) sortedKeys() []Key {
	slices.SortStableFunc(d.keys, func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return d.keys
}

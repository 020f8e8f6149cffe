package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/document"
)

// decoder turns nodes into a Config, as garnix's codecs did, and goes on after a fault.
type decoder struct {
	file   string
	diags  diag.List
	keys   []Key
	budget int // characters that may still be decoded; aliases could repeat them without end

	refused bool // garnix took some matcher for none, and so refused the whole file
}

// place is a value together with where it was found, for messages.
type place struct {
	path string     // "builds[0].include"; empty at the top
	key  *yaml.Node // in a mapping; else the value itself
	node *yaml.Node
}

// name says which value a message is about.
func (p place) name() string { return cmp.Or(p.path, "the top level") }

func join(path, key string) string {
	key = diag.OneLine(key, 80)
	if path == "" {
		return key
	}
	return path + "." + key
}

func (d *decoder) at(n *yaml.Node) diag.Pos { return document.At(d.file, n) }

// spend takes n characters from the budget; the answer is no, and said once, when it runs out.
func (d *decoder) spend(p place, n int) bool {
	if d.budget < 0 {
		return false
	}
	if d.budget -= n; d.budget < 0 {
		d.diags.Errorf(d.at(p.key), "config-too-large", "write the values out", "%s: aliases expand to too many values", p.name())
	}
	return d.budget >= 0
}

// mapping reads the fields of a level, records all keys and warns of those that garnix ignored.
func (d *decoder) mapping(p place, l level) {
	if p.node.Kind != yaml.MappingNode {
		d.wrongType(p, "a mapping", l.hint)
		return
	}
	found := map[string]bool{}
	for key, value := range document.Pairs(p.node) {
		if !d.spend(p, 1+len(key.Value)) {
			return
		}
		path, kind := join(p.path, key.Value), KeyRead
		i := slices.IndexFunc(l.fields, func(f field) bool { return f.key == key.Value })
		if i < 0 {
			kind = cmp.Or(l.others[key.Value], KeyUnknown)
			d.ignoredKey(key, value, kind, l)
		}
		d.keys = append(d.keys, Key{Path: path, Pos: d.at(key), Kind: kind})
		found[key.Value] = true
		if i >= 0 && l.fields[i].read != nil {
			l.fields[i].read(place{path: path, key: key, node: value})
		}
	}
	for _, f := range l.fields {
		if f.need != "" && !found[f.key] {
			d.diags.Errorf(d.at(p.node), "config-missing", f.need, "%s: missing", join(p.path, f.key))
		}
	}
}

func (d *decoder) list(p place, hint string) []place {
	if p.node.Kind != yaml.SequenceNode {
		d.wrongType(p, "a list", hint)
		return nil
	}
	if !d.spend(p, len(p.node.Content)) {
		return nil
	}
	items := make([]place, len(p.node.Content))
	for i, item := range p.node.Content {
		items[i] = place{path: fmt.Sprintf("%s[%d]", p.path, i), key: item, node: item}
	}
	return items
}

func (d *decoder) text(p place, hint string) (text string, ok bool) {
	switch kindOf(p.node) {
	case textKind:
		return p.node.Value, d.spend(p, len(p.node.Value))
	case boolKind, numberKind:
		hint = "quote it: " + diag.Excerpt(p.node.Value)
	}
	d.wrongType(p, "text", hint)
	return "", false
}

func (d *decoder) flag(p place) bool {
	if kindOf(p.node) != boolKind {
		d.wrongType(p, "a boolean", "write true or false, without quotes")
	}
	return yesWord.MatchString(p.node.Value)
}

func (d *decoder) choice(p place, known ...string) string {
	text, ok := d.text(p, "")
	if !ok || slices.Contains(known, text) {
		return text
	}
	hint := cmp.Or(diag.DidYouMean(text, known), "garnix knew "+diag.Enumerate(known, "and"))
	d.diags.Errorf(d.at(p.node), "config-value", hint, "%s: unknown value %s", p.name(), diag.Excerpt(text))
	return ""
}

func (d *decoder) wrongType(p place, want, hint string) {
	if kindOf(p.node) != nullKind {
		d.diags.Errorf(d.at(p.node), "config-type", hint, "%s: expected %s, not %s", p.name(), want, describe(p.node))
		return
	}
	hint = "give it a value, or remove the key to get garnix's default"
	switch p.key.Value {
	case "include":
		hint = `write "include: []" to build nothing here; without the key garnix's default is built: ` + diag.Enumerate(Default().Sections[0].IncludeTexts(), "and")
	case "builds":
		hint = `write "builds: []" to build nothing; without the key garnix's default is built`
	}
	d.diags.Errorf(d.at(p.key), "config-null", hint, "%s: null is not accepted, expected %s", p.name(), want)
}

// level is a kind of mapping: the keys that garnix read there, and what to say about others.
type level struct {
	name   string // for messages: "in a build section"
	hint   string // what to write if the value is no mapping
	fields []field
	others map[string]KeyKind // keys that somebody else read
}

// field is a key that garnix read.
type field struct {
	key  string
	need string      // what to do if it is missing; "" if it may be
	read func(place) // nil where it is read only beside another key
}

// home says where garnix read a key; "" for one that it read nowhere.
func home(key string) string {
	for where, keys := range map[string]string{
		"at the top level":                               "builds incrementalizeBuilds actions modules fodChecks flakeDir servers",
		`under "builds"`:                                 "include exclude branch",
		`in an item of "actions"`:                        "run on sandboxType withRepoContents",
		`in an item of "servers"`:                        "configuration deployment",
		`in a server's "deployment" of type "on-branch"`: "type machine isPrimary",
		`under "incrementalizeBuilds"`:                   "excludeBranches",
		`under "modules"`:                                "publish",
	} {
		if slices.Contains(strings.Fields(keys), key) {
			return where
		}
	}
	return ""
}

// ignoredKey warns of a key that garnix did not read. An editor's "$schema" is no mistake.
func (d *decoder) ignoredKey(key, value *yaml.Node, kind KeyKind, l level) {
	at, name := d.at(key), diag.Excerpt(key.Value)
	switch {
	case kind == KeyFork:
		d.diags.Warnf(at, "fork-only-key", "remove it; only the self-hosted fork of garnix reads it",
			"hosted garnix never knew the key %s and ignored it", name)
	case kind == KeyHosted:
		d.diags.Warnf(at, "hosted-only-key", "remove it; give CI a token of its own for private flake inputs",
			"key %s was an option of the hosted service only", name)
	case key.Value == "$schema":
		d.diags.Add(diag.Notice, at, "unknown-key", "", "garnix did not read %s; it is for editors", name)
	default:
		d.diags.Warnf(at, "unknown-key", unknownKeyHint(key.Value, value, l.fields), "garnix did not know the key %s %s and ignored it", name, l.name)
	}
}

func unknownKeyHint(key string, value *yaml.Node, fields []field) string {
	var known, inside []string
	for _, f := range fields {
		known = append(known, f.key)
	}
	if value.Kind == yaml.MappingNode {
		for below := range document.Pairs(value) {
			if slices.Contains(known, below.Value) {
				inside = append(inside, below.Value)
			}
		}
	}
	if len(inside) > 0 {
		return fmt.Sprintf("move %s up to where %s stands; as it is, garnix used the default", diag.Enumerate(inside, "and"), diag.Excerpt(key))
	}
	if question := diag.DidYouMean(key, known); question != "" {
		return question + " as it is, garnix used the default"
	}
	if home := home(key); home != "" {
		return fmt.Sprintf("%q means something only %s", key, home)
	}
	return "remove it; known here: " + diag.Enumerate(known, "and")
}

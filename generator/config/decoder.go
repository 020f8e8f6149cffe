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
}

// place is a value together with where it was found, for messages.
type place struct {
	path string     // "builds[0].include"; empty at the top
	key  *yaml.Node // in a mapping; else the value itself
	node *yaml.Node
}

// name says which value a message is about.
func (p place) name() string { return cmp.Or(p.path, "the top level") }

// child returns a field of a mapping; ok is false if there is none.
func (p place) child(name string) (place, bool) {
	if p.node.Kind == yaml.MappingNode {
		for key, value := range document.Pairs(p.node) {
			if key.Value == name {
				return place{path: join(p.path, name), key: key, node: value}, true
			}
		}
	}
	return place{}, false
}

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

// mapping checks that p is a mapping and records its keys, warning of those that garnix ignored.
func (d *decoder) mapping(p place, l level) bool {
	if p.node.Kind != yaml.MappingNode {
		d.wrongType(p, "a mapping", l.hint)
		return false
	}
	for key, value := range document.Pairs(p.node) {
		if !d.spend(p, 1+len(key.Value)) {
			return false
		}
		kind := l.kindOf(key.Value)
		d.keys = append(d.keys, Key{Path: join(p.path, key.Value), Pos: d.at(key), Kind: kind})
		d.ignoredKey(key, value, kind, l)
	}
	return true
}

// list checks that p is a list and returns its items.
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

func (d *decoder) text(p place, hint string) (text Text, ok bool) {
	text.Pos = d.at(p.node)
	switch kindOf(p.node) {
	case textKind:
		text.Value = p.node.Value
		return text, d.spend(p, len(text.Value))
	case boolKind, numberKind:
		hint = "quote it: " + diag.Excerpt(p.node.Value)
	}
	d.wrongType(p, "text", hint)
	return text, false
}

func (d *decoder) flag(p place) bool {
	if kindOf(p.node) != boolKind {
		d.wrongType(p, "a boolean", "write true or false, without quotes")
	}
	return yesWord.MatchString(p.node.Value)
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
		d.diags.Errorf(d.at(p.node), "config-missing", hint, "%s: missing", join(p.path, key))
	}
	return c, ok
}

func (d *decoder) wrongType(p place, want, hint string) {
	if kindOf(p.node) != nullKind {
		d.diags.Errorf(d.at(p.node), "config-type", hint, "%s: expected %s, not %s", p.name(), want, describe(p.node))
		return
	}
	hint = "give it a value, or remove the key to get garnix's default"
	switch p.key.Value {
	case "include":
		hint = `write "include: []" to build nothing here; without the key garnix's default is built: ` + enumerate(includeTexts(defaults("", "").Sections[0]))
	case "builds":
		hint = `write "builds: []" to build nothing; without the key garnix's default is built`
	}
	d.diags.Errorf(d.at(p.key), "config-null", hint, "%s: null is not accepted, expected %s", p.name(), want)
}

// enumerate joins words as prose: "a", "a and b", "a, b and c".
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// level is a kind of mapping: the keys that garnix read there, and what to say about others.
type level struct {
	name   string // for messages: "in a build section"
	keys   []string
	fork   []string
	hosted []string
	hint   string // what to write if the value is no mapping
}

func topLevel() level {
	return level{
		name:   "at the top level",
		keys:   []string{"builds", "incrementalizeBuilds", "actions", "modules", "fodChecks", "flakeDir", "servers"},
		fork:   []string{"artifacts", "autoCancelSuperseded", "cancelSupersededBuilds"},
		hosted: []string{"enableGithubOrgAccessTokens"},
		hint:   `garnix.yaml is a mapping with keys such as "builds"`,
	}
}

func sectionLevel() level {
	return level{
		name: "in a build section",
		keys: []string{"include", "exclude", "branch"},
		hint: `list the matchers under "include"`,
	}
}

func actionLevel() level {
	return level{
		name: "in an action",
		keys: []string{"run", "on", "sandboxType", "withRepoContents"},
		fork: []string{"githubToken"},
		hint: `an action is written "- {on: push, run: name}"`,
	}
}

func modulesLevel() level {
	return level{name: "in modules", keys: []string{"publish"}, hint: `write "modules: {publish: true}"`}
}

func incrementalizeLevel() level {
	return level{name: "in incrementalizeBuilds", keys: []string{"excludeBranches"}}
}

func serverLevel() level {
	return level{name: "in a server", keys: []string{"configuration", "deployment"}, hint: `a server has "configuration" and "deployment"`}
}

// deploymentLevel depends on the type: a deployment on pull requests read no other key.
func deploymentLevel(pulls bool) level {
	l := level{name: "in a deployment", keys: []string{"type", "branch", "machine", "isPrimary"}, hint: `a deployment has a "type"`}
	if pulls {
		l.name, l.keys = "in a deployment on pull requests", l.keys[:1]
	}
	return l
}

func (l level) kindOf(key string) KeyKind {
	switch {
	case slices.Contains(l.keys, key):
		return KeyRead
	case slices.Contains(l.fork, key):
		return KeyFork
	case slices.Contains(l.hosted, key):
		return KeyHosted
	}
	return KeyUnknown
}

// ignoredKey warns of a key that garnix did not read. An editor's "$schema" is no mistake.
func (d *decoder) ignoredKey(key, value *yaml.Node, kind KeyKind, l level) {
	at, name := d.at(key), diag.Excerpt(key.Value)
	switch {
	case kind == KeyRead:
	case kind == KeyFork:
		d.diags.Warnf(at, "fork-only-key", "remove it; only the self-hosted fork of garnix reads it",
			"hosted garnix never knew the key %s and ignored it", name)
	case kind == KeyHosted:
		d.diags.Warnf(at, "hosted-only-key", "remove it; give CI a token of its own for private flake inputs",
			"key %s was an option of the hosted service only", name)
	case key.Value == "$schema":
		d.diags.Add(diag.Notice, at, "unknown-key", "", "garnix did not read %s; it is for editors", name)
	default:
		d.diags.Warnf(at, "unknown-key", unknownKeyHint(key.Value, value, l), "garnix did not know the key %s %s and ignored it", name, l.name)
	}
}

func unknownKeyHint(key string, value *yaml.Node, l level) string {
	var inside []string
	if value.Kind == yaml.MappingNode {
		for below := range document.Pairs(value) {
			if slices.Contains(l.keys, below.Value) {
				inside = append(inside, below.Value)
			}
		}
	}
	if len(inside) > 0 {
		return fmt.Sprintf("move %s up to where %s stands; as it is, garnix used the default", enumerate(inside), diag.Excerpt(key))
	}
	if near := diag.Nearest(key, l.keys); near != "" {
		return fmt.Sprintf("did you mean %q? as it is, garnix used the default", near)
	}
	homes := []struct {
		level
		under string
	}{
		{level: topLevel(), under: "at the top level"},
		{level: sectionLevel(), under: `under "builds"`},
		{level: actionLevel(), under: `in an item of "actions"`},
		{level: serverLevel(), under: `in an item of "servers"`},
		{level: deploymentLevel(false), under: `in a server's "deployment" of type "on-branch"`},
		{level: incrementalizeLevel(), under: `under "incrementalizeBuilds"`},
		{level: modulesLevel(), under: `under "modules"`},
	}
	for _, home := range homes {
		if slices.Contains(home.keys, key) {
			return fmt.Sprintf("%q means something only %s", key, home.under)
		}
	}
	return "remove it; known here: " + enumerate(l.keys)
}

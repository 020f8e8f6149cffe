package config

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/document"
)

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
	switch key {
	case "builds", "incrementalizeBuilds", "actions", "modules", "fodChecks", "flakeDir", "servers":
		return "at the top level"
	case "include", "exclude", "branch":
		return `under "builds"`
	case "run", "on", "sandboxType", "withRepoContents":
		return `in an item of "actions"`
	case "configuration", "deployment":
		return `in an item of "servers"`
	case "type", "machine", "isPrimary":
		return `in a server's "deployment" of type "on-branch"`
	case "excludeBranches":
		return `under "incrementalizeBuilds"`
	case "publish":
		return `under "modules"`
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
	if near := diag.Nearest(key, known); near != "" {
		return fmt.Sprintf("did you mean %q? as it is, garnix used the default", near)
	}
	if home := home(key); home != "" {
		return fmt.Sprintf("%q means something only %s", key, home)
	}
	return "remove it; known here: " + diag.Enumerate(known, "and")
}

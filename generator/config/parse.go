package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/document"
	"garnix2gha/generator/flake"
)

// Resolve finds the configuration that garnix would have used: the flake's if it evaluates and decodes, else
// garnix.yaml, else the default one. src is the text of garnix.yaml, nil if there is none, and file its path relative to
// the repository root; the lock, if any, tells the flake output garnix.config, and under Errors["garnix.config"] why it
// does not evaluate. The Config is nil only if garnix.yaml is used and has errors.
func Resolve(file string, src []byte, lock *flake.Lock) (*Config, diag.List) {
	const flakeFile = "flake.nix"
	if lock == nil {
		lock = &flake.Lock{}
	}
	var diags diag.List
	ignored := ""
	if failure := cmp.Or(lock.Errors["garnix"], lock.Errors["garnix.config"]); failure != "" {
		ignored = "it does not evaluate: " + diag.Excerpt(failure)
	} else if lock.GarnixConfig != nil {
		c, found := ParseFlakeConfig(flakeFile, lock.GarnixConfig)
		if c != nil {
			if src != nil {
				found.Warnf(diag.Pos{File: file}, "config-hidden", "remove one of the two",
					"garnix never read this file, because the flake has an output garnix.config")
			}
			return c, found.Sorted()
		}
		fault := found[slices.IndexFunc(found, func(d diag.Diagnostic) bool { return d.Severity == diag.Error })]
		ignored = fmt.Sprintf("%s [%s]", fault.Message, fault.Code)
	}
	if ignored != "" {
		used := "its defaults"
		if src != nil {
			used = file
		}
		diags.Warnf(diag.Pos{File: flakeFile}, "flake-config-ignored", "correct the output garnix.config or remove it",
			"garnix ignored the flake's garnix.config and used %s: %s", used, ignored)
	}
	if src == nil {
		return Default(), diags
	}
	c, found := Parse(file, src)
	return c, append(diags, found...).Sorted()
}

// Parse decodes the text of a garnix.yaml; an empty one gives the defaults. file is its path relative to the repository
// root. With errors, which garnix would have failed on too, the Config is nil; the diagnostics are sorted.
func Parse(file string, src []byte) (*Config, diag.List) {
	root, diags := document.Read(file, src)
	if diags.HasErrors() {
		return nil, diags
	}
	t := tree{file: file, anchors: map[string]*yaml.Node{}, budget: budgetOf(src)}
	if root != nil {
		root = t.resolve(root)
	}
	if t.budget < 0 {
		t.diags.Errorf(diag.Pos{File: file}, "config-too-large", "write the values out", "merged aliases expand to too many values")
	}
	return decode(file, root, budgetOf(src), t.diags)
}

// ParseFlakeConfig decodes the JSON of the flake output garnix.config as Parse does; null gives the defaults.
// Its positions name the file only.
func ParseFlakeConfig(file string, value json.RawMessage) (*Config, diag.List) {
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	var raw any
	err := json.Unmarshal(value, new(json.RawMessage)) // unlike a decoder it takes nothing after the value
	if err == nil {
		err = decoder.Decode(&raw)
	}
	if err != nil {
		var diags diag.List
		diags.Errorf(diag.Pos{File: file}, "json-syntax", "", "garnix.config is not JSON: %s", err)
		return nil, diags
	}
	return decode(file, fromJSON(raw), budgetOf(value), nil)
}

// budgetOf bounds the characters that are decoded. A file without aliases holds at most thrice its own bytes (an escape
// of two may stand for three); a few aliases fit beside them, and billions do not.
func budgetOf(src []byte) int { return 3*len(src) + 1<<20 }

// fromJSON spells a value as YAML does, without positions.
func fromJSON(raw any) *yaml.Node {
	switch raw := raw.(type) {
	case string:
		return &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Value: raw}
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for _, item := range raw {
			n.Content = append(n.Content, fromJSON(item))
		}
		return n
	case map[string]any:
		n := &yaml.Node{Kind: yaml.MappingNode}
		for _, key := range slices.Sorted(maps.Keys(raw)) {
			n.Content = append(n.Content, fromJSON(key), fromJSON(raw[key]))
		}
		return n
	case nil:
		return &yaml.Node{Kind: yaml.ScalarNode}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(raw)} // a number or a boolean
}

// tree makes the nodes of a document what garnix's YAML library (snoyberg/yaml) made of them, in the order of the
// document: aliases are what they stand for, which garnix knew from its end on, and mappings have each key once.
type tree struct {
	file    string
	diags   diag.List
	anchors map[string]*yaml.Node
	budget  int // characters of keys that may still be merged
}

// resolve returns what garnix saw for a node; what an alias repeats is shared, not copied.
func (t *tree) resolve(n *yaml.Node) *yaml.Node {
	switch n.Kind {
	case yaml.AliasNode:
		if known, ok := t.anchors[n.Value]; ok {
			return known
		}
		t.diags.Errorf(document.At(t.file, n), "yaml-alias", "write the value out", "alias *%s stands inside its own anchor", diag.OneLine(n.Value, 80))
		return &yaml.Node{Kind: yaml.ScalarNode, Line: n.Line, Column: n.Column}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			n.Content[i] = t.resolve(item)
		}
	case yaml.MappingNode:
		t.mapping(n)
	}
	if n.Anchor != "" {
		t.anchors[n.Anchor] = n
	}
	return n
}

// mapping leaves each key once, as garnix's parseM did: the last of equal keys wins, a merge adds what is missing so far.
func (t *tree) mapping(n *yaml.Node) {
	kept := make([]*yaml.Node, 0, len(n.Content))
	index := map[string]int{} // of the keys in kept
	merged := map[string]bool{}
	add := func(key, value *yaml.Node) {
		index[key.Value] = len(kept)
		kept = append(kept, key, value)
	}
	merge := func(from *yaml.Node) {
		t.budget--
		if from.Kind != yaml.MappingNode {
			return // in a list of merges anything else was ignored
		}
		for key, value := range document.Pairs(from) {
			if t.budget -= 1 + len(key.Value); t.budget < 0 {
				return
			}
			if _, exists := index[key.Value]; !exists {
				merged[key.Value] = true
				add(key, value)
			}
		}
	}
	for written, value := range document.Pairs(n) {
		key, ok := t.key(written)
		value = t.resolve(value)
		i, exists := index[key.Value]
		switch {
		case !ok:
		case key.Value == "<<" && value.Kind == yaml.MappingNode:
			merge(value)
		case key.Value == "<<" && value.Kind == yaml.SequenceNode:
			for i := 0; i < len(value.Content) && t.budget >= 0; i++ {
				merge(value.Content[i])
			}
		case !exists:
			add(key, value)
		default:
			if !merged[key.Value] {
				t.diags.Warnf(document.At(t.file, key), "duplicate-key", "keep one of the two",
					"key %s is given twice; garnix used this one and ignored the one on line %d", diag.Excerpt(key.Value), kept[i].Line)
			}
			merged[key.Value] = false
			kept[i], kept[i+1] = key, value
		}
	}
	n.Content = kept
}

// key returns a key as text. Plain keys are text whatever they look like, so that "on" is no boolean.
func (t *tree) key(n *yaml.Node) (key *yaml.Node, ok bool) {
	value := t.resolve(n)
	switch {
	case n.Kind == yaml.ScalarNode:
		return n, true
	case n.Kind == yaml.AliasNode && kindOf(value) == textKind:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: value.Value, Line: n.Line, Column: n.Column}, true
	}
	t.diags.Errorf(document.At(t.file, n), "yaml-key", "write the key as text", "a key must be text, not %s", describe(value))
	return n, false
}

// kind is the type of a value.
type kind int

const (
	nullKind kind = iota
	boolKind
	numberKind
	textKind
	listKind
	mappingKind
)

var (
	nullWord = regexp.MustCompile(`^(|~|null|Null|NULL)$`)
	yesWord  = regexp.MustCompile(`^(y|Y|yes|Yes|YES|on|On|ON|true|True|TRUE)$`)
	noWord   = regexp.MustCompile(`^(n|N|no|No|NO|off|Off|OFF|false|False|FALSE)$`)
	number   = regexp.MustCompile(`^(0x[0-9a-fA-F]+|0o[0-7]+|[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?)$`)
)

// kindOf types a value as garnix's YAML library did (textToValue): quoted and folded scalars and !!str are text;
// everything else, literal blocks and other tags included, is typed by its characters.
func kindOf(n *yaml.Node) kind {
	const textStyles = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.FoldedStyle
	switch {
	case n.Kind == yaml.MappingNode:
		return mappingKind
	case n.Kind == yaml.SequenceNode:
		return listKind
	case n.Style&textStyles != 0, n.Style&yaml.TaggedStyle != 0 && n.ShortTag() == "!!str":
		return textKind
	case nullWord.MatchString(n.Value):
		return nullKind
	case yesWord.MatchString(n.Value), noWord.MatchString(n.Value):
		return boolKind
	case number.MatchString(n.Value):
		return numberKind
	}
	return textKind
}

// describe names a value in a message.
func describe(n *yaml.Node) string {
	switch kindOf(n) {
	case boolKind:
		return "the boolean " + n.Value
	case numberKind:
		return "the number " + diag.OneLine(n.Value, 80)
	case textKind:
		return "the text " + diag.Excerpt(n.Value)
	case listKind:
		return "a list"
	case mappingKind:
		return "a mapping"
	}
	return "null"
}

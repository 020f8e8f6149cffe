package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
)

// maxBytes bounds what is parsed at all; the largest garnix.yaml known has 21 KB.
const maxBytes = 4 << 20

// budgetOf bounds the characters that are decoded. A file without aliases holds at most thrice its own bytes (an escape
// of two may stand for three); a few aliases fit beside them, and billions do not.
func budgetOf(src []byte) int { return 3*len(src) + 1<<20 }

// readYAML reads the one document of a file. It returns nil where there is no value to go on with.
func readYAML(file string, src []byte, diags *diag.List) (root *value) {
	top := diag.Pos{File: file}
	if len(src) > maxBytes {
		diags.Errorf(top, "config-too-large", "", "the file has %d bytes; at most %d are read", len(src), maxBytes)
		return nil
	}
	documents, err := parseYAML(src)
	if err != nil {
		*diags = append(*diags, syntaxError(file, src, err))
		return nil
	}
	if len(documents) > 1 {
		second := documents[1]
		diags.Errorf(diag.Pos{File: file, Line: second.Line, Column: second.Column}, "yaml-documents",
			`keep one document and remove the "---" lines`,
			"the file holds %d YAML documents; garnix accepted one", len(documents))
		return nil
	}
	if len(documents) == 0 || len(documents[0].Content) == 0 {
		return &value{pos: top}
	}
	t := tree{file: file, diags: diags, anchors: map[string]*value{}, budget: budgetOf(src)}
	root = t.value(documents[0].Content[0])
	if t.budget < 0 {
		diags.Errorf(top, "config-too-large", "write the values out", "merged aliases expand to too many values")
	}
	return root
}

// tree turns YAML nodes into values in document order, because garnix knew an anchor only from its end on.
type tree struct {
	file    string
	diags   *diag.List
	anchors map[string]*value
	budget  int // characters of keys that may still be merged
}

func (t *tree) pos(n *yaml.Node) diag.Pos {
	return diag.Pos{File: t.file, Line: n.Line, Column: n.Column}
}

func (t *tree) value(n *yaml.Node) *value {
	var v *value
	switch n.Kind {
	case yaml.AliasNode:
		return t.alias(n)
	case yaml.SequenceNode:
		v = &value{kind: listKind, pos: t.pos(n)}
		for _, item := range n.Content {
			v.items = append(v.items, t.value(item))
		}
	case yaml.MappingNode:
		v = t.mapping(n)
	default:
		v = scalar(n, t.pos(n))
	}
	if n.Anchor != "" {
		t.anchors[n.Anchor] = v
	}
	return v
}

func (t *tree) alias(n *yaml.Node) *value {
	if v, ok := t.anchors[n.Value]; ok {
		return v
	}
	t.diags.Errorf(t.pos(n), "yaml-alias", "write the value out", "alias *%s stands inside its own anchor", diag.OneLine(n.Value, 80))
	return &value{pos: t.pos(n)}
}

// mapping reads a mapping as garnix's parseM did: the last of equal keys wins, a merge adds what is missing so far.
func (t *tree) mapping(n *yaml.Node) *value {
	v := &value{kind: mappingKind, pos: t.pos(n)}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, ok := t.key(n.Content[i])
		f := field{key: key, pos: t.pos(n.Content[i]), value: t.value(n.Content[i+1])}
		switch {
		case !ok:
		case key == "<<" && f.value.kind == mappingKind:
			t.merge(v, f.value)
		case key == "<<" && f.value.kind == listKind:
			for i := 0; i < len(f.value.items) && t.budget >= 0; i++ {
				t.merge(v, f.value.items[i])
			}
		default:
			if old, replaced := v.set(f); replaced && !old.merged {
				t.diags.Warnf(f.pos, "duplicate-key", "keep one of the two",
					"key %s is given twice; garnix used this one and ignored the one on line %d", diag.Excerpt(key), old.pos.Line)
			}
		}
	}
	return v
}

// key returns the text of a key. Plain keys are text whatever they look like, so that "on" is no boolean.
func (t *tree) key(n *yaml.Node) (text string, ok bool) {
	v := t.value(n)
	switch {
	case n.Kind == yaml.ScalarNode:
		return n.Value, true
	case n.Kind == yaml.AliasNode && v.kind == textKind:
		return v.text, true
	}
	t.diags.Errorf(t.pos(n), "yaml-key", "write the key as text", "a key must be text, not %s", v.describe())
	return "", false
}

// merge adds the fields that v lacks. Anything but a mapping in a list of merges was ignored.
func (t *tree) merge(v, from *value) {
	t.budget--
	for _, f := range from.fields {
		if t.budget -= 1 + len(f.key); t.budget < 0 {
			return
		}
		if _, exists := v.get(f.key); !exists {
			f.merged = true
			v.set(f)
		}
	}
}

// parseYAML parses every document with yaml.v3, making up for two things that libyaml 0.2.5 accepts and it does not:
// the directive %YAML 1.2, and question marks inside a plain word of a flow collection.
func parseYAML(src []byte) ([]*yaml.Node, error) {
	src = regexp.MustCompile(`(?m)^(%YAML[ \t]+1\.)2`).ReplaceAll(src, []byte("${1}1"))
	documents, err := parseDocuments(bytes.NewReader(src))
	const standIn = "\uE000" // private use: in no name that Nix or git would take
	if err == nil || !bytes.Contains(src, []byte("?")) || bytes.Contains(src, []byte(standIn)) {
		return documents, err
	}
	disguised := regexp.MustCompile(`[^\s\[\]{},"'?:]\?+`).ReplaceAllFunc(src, func(word []byte) []byte {
		return bytes.ReplaceAll(word, []byte("?"), []byte(standIn))
	})
	documents, again := parseDocuments(bytes.NewReader(disguised))
	if again != nil {
		return nil, err
	}
	for _, document := range documents {
		reveal(document, standIn)
	}
	return documents, nil
}

func reveal(n *yaml.Node, standIn string) {
	n.Value = strings.ReplaceAll(n.Value, standIn, "?")
	for _, child := range n.Content {
		reveal(child, standIn)
	}
}

// parseDocuments is the border to yaml.v3, whose parser has panicked on odd input before.
func parseDocuments(r io.Reader) (documents []*yaml.Node, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			documents, err = nil, fmt.Errorf("yaml: the parser gave up: %v", broken)
		}
	}()
	decoder := yaml.NewDecoder(r)
	for {
		var document yaml.Node
		switch err := decoder.Decode(&document); {
		case errors.Is(err, io.EOF):
			return documents, nil
		case err != nil:
			return nil, err
		}
		documents = append(documents, &document)
	}
}

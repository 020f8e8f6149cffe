package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"garnix2gha/generator/diag"
)

type kind int

const (
	nullKind kind = iota
	boolKind
	numberKind
	textKind
	listKind
	mappingKind
)

// value is a YAML or JSON value as garnix's decoder saw it. Values that an alias repeats are shared, not copied.
type value struct {
	kind   kind
	text   string // of a scalar, as written
	truth  bool
	pos    diag.Pos
	items  []*value
	fields []field
	index  map[string]int // of fields, by key
}

// field is an entry of a mapping; its key is unique there.
type field struct {
	key    string
	pos    diag.Pos // of the key
	value  *value
	merged bool // came from a merge ("<<"), so that a key of the mapping itself may replace it
}

// get returns the field of a mapping with the key.
func (v *value) get(key string) (field, bool) {
	i, ok := v.index[key]
	if !ok {
		return field{}, false
	}
	return v.fields[i], true
}

// set adds the field or replaces the one with the same key, which it returns.
func (v *value) set(f field) (old field, replaced bool) {
	if i, ok := v.index[f.key]; ok {
		old, v.fields[i] = v.fields[i], f
		return old, true
	}
	if v.index == nil {
		v.index = map[string]int{}
	}
	v.index[f.key] = len(v.fields)
	v.fields = append(v.fields, f)
	return field{}, false
}

// describe names the value in a message.
func (v *value) describe() string {
	switch v.kind {
	case boolKind:
		return "the boolean " + v.text
	case numberKind:
		return "the number " + diag.OneLine(v.text, 80)
	case textKind:
		return "the text " + diag.Excerpt(v.text)
	case listKind:
		return "a list"
	case mappingKind:
		return "a mapping"
	}
	return "null"
}

// readJSON reads one JSON value; its positions name the file only.
func readJSON(file string, src []byte) (*value, error) {
	decoder := json.NewDecoder(bytes.NewReader(src))
	decoder.UseNumber()
	var raw any
	if err := decoder.Decode(&raw); err != nil {
		return nil, fmt.Errorf("decode JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("decode JSON: something follows the value")
	}
	return fromJSON(diag.Pos{File: file}, raw), nil
}

func fromJSON(pos diag.Pos, raw any) *value {
	switch raw := raw.(type) {
	case bool:
		return &value{kind: boolKind, text: fmt.Sprint(raw), truth: raw, pos: pos}
	case json.Number:
		return &value{kind: numberKind, text: raw.String(), pos: pos}
	case string:
		return &value{kind: textKind, text: raw, pos: pos}
	case []any:
		v := &value{kind: listKind, pos: pos}
		for _, item := range raw {
			v.items = append(v.items, fromJSON(pos, item))
		}
		return v
	case map[string]any:
		v := &value{kind: mappingKind, pos: pos}
		for _, key := range slices.Sorted(maps.Keys(raw)) {
			v.set(field{key: key, pos: pos, value: fromJSON(pos, raw[key])})
		}
		return v
	}
	return &value{kind: nullKind, pos: pos}
}

package settings

import (
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
)

// parser walks the nodes of one file and collects what is wrong with them.
type parser struct {
	places places
	faulty map[string]bool // key paths already complained of, so that no second rule speaks of their value
	diags  diag.List
}

// value is a node and the dotted path of the key that it belongs to; the root has none.
type value struct {
	path string
	node *yaml.Node
}

// fields are the known keys of a mapping and what reads each.
type fields map[string]func(value)

// pairs yields the keys of a mapping with their values.
func pairs(mapping *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, node *yaml.Node) bool) {
		for i := 0; i+1 < len(mapping.Content); i += 2 {
			if !yield(mapping.Content[i], mapping.Content[i+1]) {
				return
			}
		}
	}
}

func (p *parser) pos(n *yaml.Node) diag.Pos {
	return diag.Pos{File: p.places.file, Line: n.Line, Column: n.Column}
}

// fault reports an error where the setting of the path stands.
func (p *parser) fault(path, code, hint, format string, args ...any) {
	p.faulty[path] = true
	p.diags.Errorf(p.places.at(path), code, hint, format, args...)
}

func (p *parser) warn(path, code, hint, format string, args ...any) {
	p.diags.Warnf(p.places.at(path), code, hint, format, args...)
}

// mapping reads the keys of v in the order of the file.
func (p *parser) mapping(v value, known fields) {
	p.entries(v, func(key *yaml.Node, child value) {
		if read, ok := known[key.Value]; ok {
			read(child)
			return
		}
		p.unknownKey(v, key, slices.Sorted(maps.Keys(known)))
	})
}

// entries calls read for every key of v, the first time that it is given.
func (p *parser) entries(v value, read func(key *yaml.Node, child value)) {
	if !p.expect(v, yaml.MappingNode, "!!map") {
		return
	}
	seen := map[string]int{}
	for key, node := range pairs(v.node) {
		if key.Kind == yaml.AliasNode || key.ShortTag() == "!!merge" {
			continue // reported already
		}
		if key.Kind != yaml.ScalarNode {
			p.diags.Errorf(p.pos(key), "wrong-type", "", "a key%s must be text", within(v.path))
			continue
		}
		if line, ok := seen[key.Value]; ok {
			p.diags.Errorf(p.pos(key), "duplicate-key", "keep one of the two", "key %s is given again; it stands in line %d already",
				diag.Excerpt(key.Value), line)
			continue
		}
		seen[key.Value] = key.Line
		child := value{path: strings.TrimPrefix(v.path+"."+key.Value, "."), node: node}
		p.places.given[child.path] = p.pos(node)
		if node.Kind != yaml.ScalarNode {
			p.places.given[child.path] = p.pos(key)
		}
		read(key, child)
	}
}

func (p *parser) unknownKey(v value, key *yaml.Node, known []string) {
	delete(p.places.given, strings.TrimPrefix(v.path+"."+key.Value, "."))
	hint := "known keys: " + strings.Join(known, ", ")
	if near := diag.Nearest(key.Value, known); near != "" {
		hint = "did you mean " + strconv.Quote(near) + "? " + hint
	}
	p.diags.Errorf(p.pos(key), "unknown-key", hint, "unknown key %s%s", diag.Excerpt(key.Value), within(v.path))
}

// within names the mapping of a path, and says nothing for the top level.
func within(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

// list reads every item of v; the path of an item ends in its index.
func (p *parser) list(v value, item func(value)) bool {
	if !p.expect(v, yaml.SequenceNode, "!!seq") {
		return false
	}
	for i, node := range v.node.Content {
		child := value{path: v.path + "." + strconv.Itoa(i), node: node}
		p.places.given[child.path] = p.pos(node)
		item(child)
	}
	return true
}

// expect reports a value of another type than the wanted one.
func (p *parser) expect(v value, kind yaml.Kind, tag string) bool {
	if v.node.Kind == yaml.AliasNode || v.node.ShortTag() == "!!merge" {
		p.faulty[v.path] = true // reported already
		return false
	}
	got := v.node.ShortTag()
	if v.node.Kind == kind && got == tag {
		return true
	}
	subject := v.path
	if subject == "" {
		subject = "the file"
	}
	if got == "!!null" {
		p.fault(v.path, "empty-value", "give it a value, or remove it to get the default", "%s has no value", subject)
		return false
	}
	p.fault(v.path, "wrong-type", typeHint(tag, got, v.node), "%s must be %s, not %s", subject, typeName(tag), typeName(got))
	return false
}

func typeName(tag string) string {
	switch tag {
	case "!!map":
		return "a mapping"
	case "!!seq":
		return "a list"
	case "!!str":
		return "text"
	case "!!bool":
		return "true or false"
	case "!!int":
		return "a whole number"
	case "!!float":
		return "a number"
	case "!!timestamp":
		return "a date"
	}
	return "a value of type " + diag.Excerpt(tag)
}

func typeHint(want, got string, n *yaml.Node) string {
	switch {
	case want == "!!str" && n.Kind == yaml.ScalarNode && strings.HasPrefix(got, "!!"):
		return "quote it to make it text"
	case want == "!!str" && n.Kind == yaml.ScalarNode:
		return "quote text that begins with an exclamation mark"
	case want == "!!bool":
		return "write true or false, without quotes"
	case want == "!!int":
		return "write a whole number in decimal digits, without quotes"
	case want == "!!seq" && n.Kind == yaml.ScalarNode:
		return "write it as a list: put square brackets around it"
	}
	return ""
}

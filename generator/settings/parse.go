package settings

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/document"
)

// Parse reads the settings file; file is its path for diagnostics. An empty file and one of comments only give
// Default. With errors the settings are nil; warnings come with settings.
func Parse(file string, src []byte) (*Settings, diag.List) {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	p := &parser{
		places: places{file: file, given: map[string]diag.Pos{}},
		nodes:  map[string]*yaml.Node{},
		faulty: map[string]bool{}, expressions: map[string]*regexp.Regexp{},
	}
	s := p.settings(p.document(src))
	diags := p.diags.Sorted()
	if diags.HasErrors() {
		return nil, diags
	}
	return s, diags
}

// settings holds a file to all rules. Where it breaks one the default stands in, so that the rules behind are tried too.
func (p *parser) settings(file any) *Settings {
	mapping := object(file)
	if mapping == nil {
		mapping = map[string]any{}
	}
	fill(book(), mapping)
	if file != nil {
		p.drop(mapping, p.validate(file))
		fill(book(), mapping)
	}
	s, err := decode(mapping)
	if err != nil {
		p.diags.Errorf(p.places.at(""), "bad-value", "", "the settings cannot be read: %s", err)
		return nil
	}
	p.crossCheck(s)
	s.places = p.places
	return s
}

// drop removes the settings that hold a broken value, so that no further rule speaks of them.
func (p *parser) drop(mapping map[string]any, broken [][]string) {
	for _, at := range broken {
		p.faulty[strings.Join(at[:min(len(at), 2)], ".")] = true
		switch {
		case len(at) > 1 && object(mapping[at[0]]) != nil:
			delete(object(mapping[at[0]]), at[1])
		case len(at) > 0:
			delete(mapping, at[0])
		}
	}
}

// parser collects what is wrong with one file.
type parser struct {
	places places
	nodes  map[string]*yaml.Node // by key path
	faulty map[string]bool       // key paths already complained of, so that no second rule speaks of their value
	diags  diag.List

	expressions map[string]*regexp.Regexp // the patterns of the schema that were asked so far
}

// document reads the file as JSON would hold it; nil if there is nothing to read.
func (p *parser) document(src []byte) any {
	if at := strangeText.FindIndex(src); at != nil {
		line := 1 + bytes.Count(src[:at[0]], []byte("\n"))
		p.diags.Errorf(diag.Pos{File: p.places.file, Line: line}, "yaml-syntax", "save the file as UTF-8 with ordinary line ends",
			"the line holds a byte that is not UTF-8 or a line break that editors do not show")
		return nil
	}
	root, diags := document.Read(p.places.file, src)
	p.diags = diags
	if root == nil {
		return nil
	}
	return p.read("", root)
}

// strangeText is what is not UTF-8, and line breaks that only YAML 1.1 counts: they would move every position behind.
var strangeText = regexp.MustCompile("[\u0085\u2028\u2029\uFFFD]|\r(?:[^\n]|$)")

// strange stands for a scalar that is of no type a setting has: a date, a fraction, a tag of its own.
type strange struct{}

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// read turns a value into what JSON would hold. An alias is nil, and reported.
func (p *parser) read(path string, n *yaml.Node) any {
	if p.nodes[path] == nil { // else a key with a dot or without a character is a namesake, and unknown
		p.nodes[path] = n
	}
	if p.refuseAlias(n) {
		p.faulty[path] = true
		return nil
	}
	switch tag := n.ShortTag(); {
	case tag == "!!map" && n.Kind == yaml.MappingNode:
		return p.mapping(path, n)
	case tag == "!!seq" && n.Kind == yaml.SequenceNode:
		items := make([]any, len(n.Content))
		for i, item := range n.Content {
			at := path + "." + strconv.Itoa(i)
			p.places.given[at] = p.pos(item)
			items[i] = p.read(at, item)
		}
		return items
	case tag == "!!str" && n.Kind == yaml.ScalarNode:
		return n.Value
	case tag == "!!bool" && (n.Value == "true" || n.Value == "false"):
		return n.Value == "true"
	case tag == "!!int" && decimal.MatchString(n.Value):
		if number, err := strconv.Atoi(n.Value); err == nil {
			return number
		}
	case tag == "!!null":
		return nil
	}
	return strange{}
}

// mapping reads every key the first time that it is given.
func (p *parser) mapping(path string, n *yaml.Node) map[string]any {
	out := map[string]any{}
	seen := map[string]int{}
	for key, node := range document.Pairs(n) {
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		switch {
		case p.refuseAlias(key):
			p.refuseAlias(node)
		case key.Kind != yaml.ScalarNode:
			p.diags.Errorf(p.pos(key), "wrong-type", "", "a key%s must be text", within(path))
		case seen[key.Value] > 0:
			p.diags.Errorf(p.pos(key), "duplicate-key", "keep one of the two", "key %s is given again; it stands in line %d already",
				diag.Excerpt(key.Value), seen[key.Value])
		default:
			seen[key.Value] = key.Line
			p.places.given[at] = p.pos(node)
			if node.Kind != yaml.ScalarNode {
				p.places.given[at] = p.pos(key)
			}
			out[key.Value] = p.read(at, node)
		}
	}
	return out
}

// within names the mapping of a path, and says nothing for the top level.
func within(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

func (p *parser) pos(n *yaml.Node) diag.Pos { return document.At(p.places.file, n) }

// refuseAlias reports an alias or a merge key, for which there is no value, and an anchor, which does no harm.
func (p *parser) refuseAlias(n *yaml.Node) bool {
	what := ""
	switch {
	case n.Kind == yaml.AliasNode:
		what = "aliases"
	case n.Anchor != "":
		what = "anchors"
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!merge":
		what = "merge keys"
	default:
		return false
	}
	p.diags.Errorf(p.pos(n), "yaml-alias", "write the value out where it is used", "%s are not supported here", what)
	return what != "anchors"
}

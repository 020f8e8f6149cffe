package settings

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/document"
)

var errBroken = errors.New("the settings have errors")

// WithPins returns the settings file with the pins added to those it has; everything else keeps its bytes.
func WithPins(src []byte, pins map[string]Pin) ([]byte, error) {
	wanted, diags := Parse("", src)
	if diags.HasErrors() {
		return nil, errBroken
	}
	maps.Copy(wanted.Pins, pins)
	text := "pins:\n"
	for _, action := range slices.Sorted(maps.Keys(wanted.Pins)) {
		text += fmt.Sprintf("  %s:\n    sha: %q\n", action, wanted.Pins[action].SHA)
		if version := wanted.Pins[action].Version; version != "" {
			text += fmt.Sprintf("    version: %q\n", version)
		}
	}
	return edited(src, "", []entry{{"pins", text}}, *wanted)
}

// CheckCacheName tells what the settings would find wrong with the name of a Cachix cache; file is where it is given.
func CheckCacheName(file, name string) diag.List {
	_, diags := Parse(file, fmt.Appendf(nil, "cache: {name: %q}\n", name))
	return diags
}

// WithCachix returns the settings file naming a Cachix cache; everything else keeps its bytes, save for the address and
// the keys of another cache.
func WithCachix(src []byte, name string) ([]byte, error) {
	wanted, diags := Parse("", src)
	if diags.HasErrors() {
		return nil, errBroken
	}
	cache := &wanted.Cache
	switch {
	case cache.Backend != Cachix:
		return nil, errors.New("the settings name a cache of another backend; change the key cache by hand")
	case cache.Name == name:
		return src, nil
	}
	url := CachixURL(name)
	entries := []entry{{"name", fmt.Sprintf("name: %q\n", name)}} // in the order in which a new section has them
	if wanted.Given("cache.url") && cache.URL != url {
		entries = append(entries, entry{"url", fmt.Sprintf("url: %q\n", url)})
	}
	if len(cache.PublicKeys) > 0 {
		entries = append(entries, entry{"public-key", ""})
	}
	cache.Name, cache.URL, cache.PublicKeys = name, url, Texts{}
	return edited(src, "cache", entries, *wanted)
}

// entry is a key of the settings and its whole text without margin; "" removes it.
type entry struct{ key, text string }

// edited puts entries into a section ("" for the top level), so that the file means what is wanted.
func edited(src []byte, section string, entries []entry, wanted Settings) (fresh []byte, err error) {
	fresh = src
	byHand := ""
	for _, e := range slices.Backward(entries) { // a new one begins the section
		if fresh, err = spliced(fresh, section, e.key, e.text); err != nil {
			return nil, err
		}
		byHand = e.text + byHand
	}
	got, _ := Parse("", fresh)
	if got != nil {
		got.places = wanted.places
	}
	if got == nil || !reflect.DeepEqual(*got, wanted) {
		return nil, fmt.Errorf("the layout of the settings leaves no room; write by hand, %s:\n%s", cmp.Or(section, "at the top level"), byHand)
	}
	return fresh, nil
}

// spliced puts text, a whole entry without margin, in the place of the entry of a key: at the top level, or in a section.
// A new entry begins the section, or ends the file; "" removes the old one. Comments inside the old one stay.
func spliced(src []byte, section, key, text string) ([]byte, error) {
	root, diags := document.Read("", src)
	if diags.HasErrors() {
		return nil, errBroken
	}
	lines := slices.Collect(bytes.Lines(src))
	from, to, margin, comment := len(lines), len(lines), "", ""
	holder := root
	if section != "" {
		var name *yaml.Node
		if name, holder = document.Find(root, section); len(holder.Content) == 0 {
			if text == "" {
				return src, nil
			}
			return spliced(src, "", section, section+":\n"+indent(text, "  "))
		}
		from, to = name.Line, name.Line
	}
	if holder != nil && holder.Kind == yaml.MappingNode {
		if holder.Style&yaml.FlowStyle != 0 {
			return nil, errors.New("the settings are in braces, a flow mapping; write one key a line")
		}
		margin = strings.Repeat(" ", holder.Column-1)
		if name, value := document.Find(holder, key); name != nil {
			from, to, comment = name.Line-1, endOf(lines, name.Line, len(margin)), value.LineComment
		}
	}
	shown := func(line []byte) bool { return bytes.HasPrefix(line, []byte("# "+key+":")) }
	if i := slices.IndexFunc(lines, shown); i >= 0 && section == "" && from == len(lines) {
		lines, from, to = slices.Delete(lines, i, i+1), i, i // the template's place for it
	}
	var out bytes.Buffer
	out.Write(bytes.Join(lines[:from], nil))
	if text != "" && out.Len() > 0 && !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
		out.WriteByte('\n')
	}
	first, rest, _ := strings.Cut(indent(text, margin), "\n")
	if comment != "" {
		first += " " + comment
	}
	if text != "" {
		out.WriteString(first + "\n")
	}
	for _, line := range lines[from:to] {
		if trimmed := bytes.TrimSpace(line); len(trimmed) > 0 && trimmed[0] == '#' {
			out.Write(line)
		}
	}
	out.WriteString(rest)
	out.Write(bytes.Join(lines[to:], nil))
	return out.Bytes(), nil
}

// endOf returns the index after the last line of the entry whose key stands in a line (1-based) behind a margin. The
// comments and blank lines that follow belong to what comes next.
func endOf(lines [][]byte, line, margin int) int {
	end := line
	for i := line; i < len(lines); i++ {
		text := bytes.TrimSpace(lines[i])
		depth := len(lines[i]) - len(bytes.TrimLeft(lines[i], " "))
		switch {
		case len(text) == 0 || text[0] == '#':
		case depth > margin, depth == margin && text[0] == '-' && !bytes.HasPrefix(text, []byte("--")):
			end = i + 1
		default:
			return end
		}
	}
	return end
}

var visible = regexp.MustCompile(`(?m)^.*\S`)

// indent puts a margin before every line that is not empty.
func indent(text, margin string) string { return visible.ReplaceAllString(text, margin+"$0") }

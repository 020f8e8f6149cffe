package settings

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/document"
)

var errBroken = errors.New("the settings have errors")

// WithPins returns the settings file with the pins added to those it has; everything else keeps its bytes.
func WithPins(src []byte, pins map[string]Pin) ([]byte, error) {
	current, diags := Parse("", src)
	if diags.HasErrors() {
		return nil, errBroken
	}
	all := maps.Clone(current.Pins)
	maps.Copy(all, pins)
	text := "pins:\n"
	for _, action := range slices.Sorted(maps.Keys(all)) {
		text += fmt.Sprintf("  %s:\n    sha: %q\n", action, all[action].SHA)
		if version := all[action].Version; version != "" {
			text += fmt.Sprintf("    version: %q\n", version)
		}
	}
	fresh, err := spliced(src, "", "pins", text)
	if err != nil {
		return nil, err
	}
	wanted := *current
	wanted.Pins = all
	if !means(fresh, wanted) {
		return nil, fmt.Errorf("the layout of the settings leaves no room for pins; write them by hand:\n%s", text)
	}
	return fresh, nil
}

// WithCachix returns the settings file naming a Cachix cache and what it is read by; everything else keeps its bytes.
// url "" is the address that follows from the name. Without keys those of the file go, unless it names this cache
// already: they belong to another one.
func WithCachix(src []byte, name, url string, keys []string) ([]byte, error) {
	current, diags := Parse("", src)
	if diags.HasErrors() {
		return nil, errBroken
	}
	backend, ok := current.Cache.Backend.(Cachix)
	if !ok {
		return nil, errors.New("the settings name a cache of another backend; change the key cache by hand")
	}
	standard := "https://" + name + ".cachix.org"
	if url == "" {
		url = standard
	}
	if len(keys) == 0 && backend.Name == name {
		keys = current.Cache.PublicKeys
	}
	var entries [][2]string // in the order in which a new section has them
	if backend.Name != name {
		entries = append(entries, [2]string{"name", fmt.Sprintf("name: %q\n", name)})
	}
	if given := current.Given("cache.url"); given && current.Cache.URL != url || !given && url != standard {
		entries = append(entries, [2]string{"url", fmt.Sprintf("url: %q\n", url)})
	}
	if !slices.Equal(current.Cache.PublicKeys, keys) {
		entries = append(entries, [2]string{"public-key", keyText(keys)})
	}
	fresh := src
	for _, entry := range entries {
		var err error
		if fresh, err = spliced(fresh, "cache", entry[0], entry[1]); err != nil {
			return nil, err
		}
	}
	backend.Name = name
	wanted := *current
	wanted.Cache.Backend, wanted.Cache.URL, wanted.Cache.PublicKeys = backend, url, keys
	if !means(fresh, wanted) {
		return nil, fmt.Errorf("the layout of the settings leaves no room for the cache; write it by hand:\ncache:\n  name: %q\n  url: %q\n%s",
			name, url, indent(keyText(keys), "  "))
	}
	return fresh, nil
}

// keyText spells public-key: nothing, one text, or a list.
func keyText(keys []string) string {
	switch len(keys) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("public-key: %q\n", keys[0])
	}
	text := "public-key:\n"
	for _, key := range keys {
		text += fmt.Sprintf("  - %q\n", key)
	}
	return text
}

// means reports whether a file says the wanted, wherever it stands.
func means(src []byte, wanted Settings) bool {
	got, diags := Parse("", src)
	if diags.HasErrors() {
		return false
	}
	got.places, wanted.places = places{}, places{}
	if len(got.Cache.PublicKeys) == 0 && len(wanted.Cache.PublicKeys) == 0 {
		got.Cache.PublicKeys, wanted.Cache.PublicKeys = nil, nil
	}
	return reflect.DeepEqual(*got, wanted)
}

// spliced puts text, a whole entry without margin, in the place of the entry of a key: at the top level, or in a section.
// A new entry follows the keys of the section that the schema has before it, or ends the file; "" removes the old one.
// Comments inside the old one stay.
func spliced(src []byte, section, key, text string) ([]byte, error) {
	root, diags := document.Read("", src)
	if diags.HasErrors() {
		return nil, errBroken
	}
	lines := slices.Collect(bytes.Lines(src))
	from, to, margin, comment := len(lines), len(lines), "", ""
	holder, before := root, []string(nil)
	if section != "" {
		var head *yaml.Node
		if head, holder = entry(root, section); holder == nil || len(holder.Content) == 0 {
			if text == "" {
				return src, nil
			}
			return spliced(src, "", section, section+":\n"+indent(text, "  "))
		}
		from, to, before = head.Line, head.Line, keysBefore(section, key)
	}
	if holder != nil && holder.Kind == yaml.MappingNode {
		if holder.Style&yaml.FlowStyle != 0 {
			return nil, errors.New("the settings are in braces, a flow mapping; write one key a line")
		}
		margin = strings.Repeat(" ", holder.Column-1)
		for name, value := range document.Pairs(holder) {
			end := endOf(lines, name.Line, len(margin))
			if name.Value == key {
				from, to, comment = name.Line-1, end, value.LineComment
				break
			}
			if slices.Contains(before, name.Value) {
				from, to = max(from, end), max(to, end)
			}
		}
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

// entry returns the key of a section and its mapping, nil if there is none.
func entry(root *yaml.Node, section string) (head, mapping *yaml.Node) {
	if root != nil && root.Kind == yaml.MappingNode {
		for name, value := range document.Pairs(root) {
			if name.Value == section && value.Kind == yaml.MappingNode {
				return name, value
			}
		}
	}
	return nil, nil
}

// keysBefore lists the keys that the schema has before one of a section.
func keysBefore(section, key string) []string {
	var before []string
	root, _ := document.Read("", []byte(schema))
	for name := range document.Pairs(member(member(member(root, "properties"), section), "properties")) {
		if name.Value == key {
			break
		}
		before = append(before, name.Value)
	}
	return before
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

// indent puts a margin before every line that is not empty.
func indent(text, margin string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(margin)
		}
		b.WriteString(line)
	}
	return b.String()
}

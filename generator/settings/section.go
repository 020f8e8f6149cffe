package settings

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

const cacheKey = "cache"

// WithCachix returns the settings file naming a Cachix cache and what it is read by; everything else keeps its bytes.
// url "" is the address that follows from the name. Without keys those of the file go, unless it names this cache
// already: they belong to another one.
func WithCachix(src []byte, name, url string, keys []string) ([]byte, error) {
	current, diags := Parse("", src)
	if diags.HasErrors() {
		return nil, fmt.Errorf("the settings have errors")
	}
	backend, ok := current.Cache.Backend.(Cachix)
	if !ok {
		return nil, fmt.Errorf("the settings name a cache of another backend; change the key cache by hand")
	}
	standard := "https://" + name + ".cachix.org"
	if url == "" {
		url = standard
	}
	if len(keys) == 0 && backend.Name == name {
		keys = current.Cache.PublicKeys
	}
	was := current.Cache
	wanted := *current
	wanted.Cache.URL, wanted.Cache.PublicKeys = url, keys
	fresh := src
	var err error
	put := func(key, text string) {
		if err == nil {
			fresh, err = withEntry(fresh, key, text)
		}
	}
	if backend.Name != name {
		put("name", fmt.Sprintf("name: %q\n", name))
	}
	backend.Name = name
	wanted.Cache.Backend = backend
	if given := current.Given("cache.url"); given && was.URL != url || !given && url != standard {
		put("url", fmt.Sprintf("url: %q\n", url))
	}
	if !slices.Equal(was.PublicKeys, keys) {
		put("public-key", keyText(keys))
	}
	if err != nil {
		return nil, err
	}
	if got, diags := Parse("", fresh); diags.HasErrors() || !sameSettings(got, &wanted) {
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

// sameSettings compares what settings mean, not where they stand.
func sameSettings(a, b *Settings) bool {
	left, right := *a, *b
	left.places, right.places = places{}, places{}
	if len(a.Cache.PublicKeys) == 0 && len(b.Cache.PublicKeys) == 0 {
		left.Cache.PublicKeys, right.Cache.PublicKeys = nil, nil
	}
	return reflect.DeepEqual(left, right)
}

// withEntry replaces the lines of a key of the cache section by text, which is not indented and may be "", or adds them
// where a person would look for them.
func withEntry(src []byte, key, text string) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(src, &document); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	head, section := cacheSection(&document)
	if section == nil || len(section.Content) == 0 {
		if text == "" {
			return src, nil
		}
		return withBlock(src, cacheKey, cacheKey+":\n"+indent(text, "  "))
	}
	if section.Style&yaml.FlowStyle != 0 {
		return nil, fmt.Errorf("the key cache of the settings is in braces; write one key a line")
	}
	margin := strings.Repeat(" ", section.Column-1)
	lines := slices.Collect(bytes.Lines(src))
	from, to, comment := head.Line, head.Line, ""
	for i := 0; i+1 < len(section.Content); i += 2 {
		name, value := section.Content[i], section.Content[i+1]
		if !slices.Contains(before(key), name.Value) && name.Value != key {
			continue
		}
		end := endOf(lines, name.Line, len(margin))
		if name.Value == key {
			from, to, comment = name.Line-1, end, value.LineComment
			break
		}
		from, to = max(from, end), max(to, end)
	}
	if first, rest, _ := strings.Cut(text, "\n"); text != "" && comment != "" {
		text = first + " " + comment + "\n" + rest
	}
	return spliced(lines, from, to, indent(text, margin)), nil
}

// cacheSection returns the key and the value of the cache section, nil if there is none.
func cacheSection(document *yaml.Node) (head, section *yaml.Node) {
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, nil
	}
	for name, value := range pairs(document.Content[0]) {
		if name.Value == cacheKey && value.Kind == yaml.MappingNode {
			return name, value
		}
	}
	return nil, nil
}

// before lists the keys of the cache section that a new key follows.
func before(key string) []string {
	order := []string{"backend", "name", "name-variable", "url", "push-url", "server", "public-key"}
	return order[:slices.Index(order, key)]
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
		case depth > margin, depth == margin && margin > 0 && text[0] == '-':
			end = i + 1
		default:
			return end
		}
	}
	return end
}

// spliced puts text in the place of lines, whose own comments stay.
func spliced(lines [][]byte, from, to int, text string) []byte {
	var out bytes.Buffer
	for _, line := range lines[:from] {
		out.Write(line)
	}
	if text != "" && out.Len() > 0 && !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
		out.WriteByte('\n')
	}
	out.WriteString(text)
	for _, line := range lines[from:to] {
		if trimmed := bytes.TrimSpace(line); len(trimmed) > 0 && trimmed[0] == '#' {
			out.Write(line)
		}
	}
	for _, line := range lines[to:] {
		out.Write(line)
	}
	return out.Bytes()
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

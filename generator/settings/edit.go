package settings

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// WithPins returns the settings file with the pins added to those it has; everything else keeps its bytes.
func WithPins(src []byte, pins map[string]Pin) ([]byte, error) {
	current, diags := Parse("", src)
	if diags.HasErrors() {
		return nil, fmt.Errorf("the settings have errors")
	}
	all := maps.Clone(current.Pins)
	maps.Copy(all, pins)
	var b strings.Builder
	b.WriteString("pins:\n")
	for _, action := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "  %s:\n    sha: %q\n", action, all[action].SHA)
		if version := all[action].Version; version != "" {
			fmt.Fprintf(&b, "    version: %q\n", version)
		}
	}
	fresh, err := withBlock(src, "pins", b.String())
	if err != nil {
		return nil, err
	}
	if got, diags := Parse("", fresh); diags.HasErrors() || !maps.Equal(got.Pins, all) {
		return nil, fmt.Errorf("the layout of the settings leaves no room for pins; write them by hand:\n%s", b.String())
	}
	return fresh, nil
}

// withBlock replaces the lines of a top-level key, or appends them.
func withBlock(src []byte, key, block string) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(src, &document); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	lines := slices.Collect(bytes.Lines(src))
	from, to := len(lines), len(lines)
	if len(document.Content) == 1 && document.Content[0].Kind == yaml.MappingNode {
		root := document.Content[0]
		if root.Style&yaml.FlowStyle != 0 {
			return nil, fmt.Errorf("the settings are one flow mapping; write them one key a line")
		}
		for i := 0; i+1 < len(root.Content); i += 2 {
			if root.Content[i].Value != key {
				continue
			}
			from = root.Content[i].Line - 1
			if i+2 < len(root.Content) {
				to = root.Content[i+2].Line - 1
			}
			// Comments above the next key belong to it.
			for to > from+1 && !indented(lines[to-1]) {
				to--
			}
		}
	}
	var out bytes.Buffer
	for _, line := range lines[:from] {
		out.Write(line)
	}
	if out.Len() > 0 && !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
		out.WriteByte('\n')
	}
	head, rest, _ := strings.Cut(block, "\n")
	out.WriteString(head + "\n")
	for _, line := range lines[from:to] {
		if text := bytes.TrimSpace(line); len(text) > 0 && text[0] == '#' {
			out.Write(line)
		}
	}
	out.WriteString(rest)
	for _, line := range lines[to:] {
		out.Write(line)
	}
	return out.Bytes(), nil
}

// indented reports whether a line belongs to the block above it.
func indented(line []byte) bool {
	return len(bytes.TrimSpace(line)) > 0 && (line[0] == ' ' || line[0] == '-')
}

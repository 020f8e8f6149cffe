package settings

import (
	"bytes"
	"regexp"
	"strings"

	"garnix2gha/generator/document"

	"gopkg.in/yaml.v3"
)

// inlineKey is the key under which the content of garnix.yaml may stand.
const inlineKey = "garnix"

var inlineHead = regexp.MustCompile(`^ *(garnix|"garnix"|'garnix') *:`)

// inline cuts the value of the inline key out of the text, because garnix read YAML by rules of its own that nodes
// no longer show. What stands before it becomes blank, so that positions stay true.
func (p *parser) inline(n, root *yaml.Node) []byte {
	if n.Kind != yaml.MappingNode && n.Kind != yaml.SequenceNode {
		p.complain(inlineKey, complaint{code: "wrong-type", message: "must be a mapping, as in garnix.yaml",
			hint: "put the content of garnix.yaml under it, or remove it"})
		return nil
	}
	lines := bytes.SplitAfter(p.src, []byte("\n"))
	start, end := 0, len(lines)
	for key := range document.Pairs(root) {
		switch {
		case start > 0:
			end = min(end, key.Line-1)
		case key.Value == inlineKey:
			start = key.Line
		}
	}
	head := string(lines[start-1])
	found := inlineHead.FindString(head)
	if found == "" || root.Style&yaml.FlowStyle != 0 {
		p.complain(inlineKey, complaint{code: "inline-style", message: "must stand in block style",
			hint: "put the key at the start of a line of its own, without braces around the whole file"})
		return nil
	}
	var text bytes.Buffer
	text.WriteString(strings.Repeat("\n", start-1))
	text.WriteString(strings.Repeat(" ", len(found)))
	text.WriteString(head[len(found):])
	text.Write(bytes.Join(lines[start:end], nil))
	return text.Bytes()
}

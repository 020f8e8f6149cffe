package settings

import (
	"bytes"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// inlineKey is the key under which the content of garnix.yaml may stand.
const inlineKey = "garnix"

var inlineHead = regexp.MustCompile(`^ *(garnix|"garnix"|'garnix') *:`)

// inline cuts the value of the inline key out of the text, because garnix read YAML by rules of its own that nodes
// no longer show. What stands before it becomes blank, so that positions stay true.
func (p *parser) inline(v value, root *yaml.Node, src []byte) []byte {
	if v.node.Kind == yaml.AliasNode {
		p.faulty[v.path] = true // reported already
		return nil
	}
	if v.node.Kind != yaml.MappingNode && v.node.Kind != yaml.SequenceNode {
		p.fault(v.path, "wrong-type", "put the content of garnix.yaml under it, or remove it", "%s must be a mapping, as in garnix.yaml", v.path)
		return nil
	}
	lines := bytes.SplitAfter(src, []byte("\n"))
	start, end := 0, len(lines)
	for key := range pairs(root) {
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
		p.fault(v.path, "inline-style", "put the key at the start of a line of its own, without braces around the whole file",
			"%s must stand in block style", v.path)
		return nil
	}
	var text bytes.Buffer
	text.WriteString(strings.Repeat("\n", start-1))
	text.WriteString(strings.Repeat(" ", len(found)))
	text.WriteString(head[len(found):])
	text.Write(bytes.Join(lines[start:end], nil))
	return text.Bytes()
}

package settings

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
)

// searchLimit bounds the bytes in which the line of a syntax error is searched, which takes quadratic time.
const searchLimit = 8 << 10

var yamlLine = regexp.MustCompile(`^line \d+: `)

func trimBOM(src []byte) []byte { return bytes.TrimPrefix(src, []byte("\ufeff")) }

// document returns the root node of the only document, or nil for nothing to read: an error is reported then, unless
// the file is empty or null.
func (p *parser) document(src []byte) *yaml.Node {
	if line := strangeLine(src); line > 0 {
		p.diags.Errorf(diag.Pos{File: p.places.file, Line: line}, "yaml-syntax", "save the file as UTF-8 with ordinary line ends",
			"the line holds a byte that is not UTF-8 or a line break that editors do not show")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(src))
	var first, second yaml.Node
	if err := decoder.Decode(&first); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		p.syntax(src, err)
		return nil
	}
	if err := decoder.Decode(&second); err == nil {
		p.diags.Errorf(p.pos(&second), "yaml-documents", `remove the "---" between them`, "the file holds more than one YAML document")
		return nil
	} else if !errors.Is(err, io.EOF) {
		p.syntax(src, err)
		return nil
	}
	root := first.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
		return nil
	}
	return root
}

// strangeLine returns the line of the first byte that is not UTF-8, or of the first line break that YAML 1.1 counts
// and nothing else does (which would move every position after it); 0 if there is none.
func strangeLine(src []byte) int {
	line := 1
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		switch {
		case r == utf8.RuneError && size == 1, r == 0x85, r == 0x2028, r == 0x2029,
			r == '\r' && !bytes.HasPrefix(src[i+1:], []byte("\n")):
			return line
		case r == '\n':
			line++
		}
		i += size
	}
	return 0
}

func (p *parser) syntax(src []byte, err error) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := syntaxLine(src)
	if line > 0 {
		message = yamlLine.ReplaceAllString(message, "")
	}
	hint := ""
	switch {
	case strings.Contains(message, "alphabetic or numeric character"), strings.Contains(message, "unknown anchor"):
		hint = `quote text that begins with * or &, for example "**"`
	case bytes.Contains(lineOf(src, line), []byte("\t")):
		hint = "indent with spaces, not tabs"
	case strings.Contains(message, "mapping values are not allowed"):
		hint = `quote text that holds ": "`
	}
	p.diags.Errorf(diag.Pos{File: p.places.file, Line: line}, "yaml-syntax", hint, "not YAML: %s", message)
}

// syntaxLine returns the line after the longest run of leading lines that is YAML: the parser's own line is that of
// an enclosing structure, or off by one, for half of its messages. 0 means unknown.
func syntaxLine(src []byte) int {
	if len(src) > searchLimit {
		return 0
	}
	head := src
	for !isYAML(head) {
		head = head[:bytes.LastIndexByte(head[:len(head)-1], '\n')+1]
	}
	return bytes.Count(head, []byte("\n")) + 1
}

// isYAML reports whether the text is any number of YAML documents.
func isYAML(src []byte) bool {
	decoder := yaml.NewDecoder(bytes.NewReader(src))
	for {
		var ignored yaml.Node
		if err := decoder.Decode(&ignored); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

func lineOf(src []byte, line int) []byte {
	lines := bytes.Split(src, []byte("\n"))
	if line < 1 || line > len(lines) {
		return nil
	}
	return lines[line-1]
}

// refuseAliases reports every anchor, alias and merge key.
func (p *parser) refuseAliases(node *yaml.Node) {
	p.refuseAlias(node)
	for _, child := range node.Content {
		p.refuseAliases(child)
	}
}

func (p *parser) refuseAlias(node *yaml.Node) {
	const hint = "write the value out where it is used"
	switch {
	case node.Kind == yaml.AliasNode:
		p.diags.Errorf(p.pos(node), "yaml-alias", hint, "aliases are not supported here")
	case node.Anchor != "":
		p.diags.Errorf(p.pos(node), "yaml-alias", hint, "anchors are not supported here")
	case node.Kind == yaml.ScalarNode && node.ShortTag() == "!!merge":
		p.diags.Errorf(p.pos(node), "yaml-alias", hint, "merge keys are not supported here")
	}
}

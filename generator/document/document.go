// Package document reads the YAML document of a file, with positions, or tells where its syntax breaks.
package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
)

// maxBytes bounds what is parsed at all; the largest garnix.yaml known has 21 KB.
const maxBytes = 4 << 20

// Read returns the value of the one document of a file; nil and no error for an empty one. Aliases, repeated keys and
// what a plain word means are left to the caller: YAML's readers differ in them.
func Read(file string, src []byte) (*yaml.Node, diag.List) {
	var diags diag.List
	if len(src) > maxBytes {
		diags.Errorf(diag.Pos{File: file}, "config-too-large", "", "the file has %d bytes; at most %d are read", len(src), maxBytes)
		return nil, diags
	}
	documents, err := parse(src)
	switch {
	case err != nil:
		return nil, diag.List{syntaxError(file, src, err)}
	case len(documents) > 1:
		diags.Errorf(At(file, documents[1]), "yaml-documents", `keep one document and remove the "---" lines`,
			"the file holds %d YAML documents instead of one", len(documents))
		return nil, diags
	case len(documents) == 0 || len(documents[0].Content) == 0:
		return nil, nil
	}
	return documents[0].Content[0], nil
}

// At is where a node of a file stands.
func At(file string, n *yaml.Node) diag.Pos {
	return diag.Pos{File: file, Line: n.Line, Column: n.Column}
}

// Pairs yields the keys of a mapping with their values.
func Pairs(mapping *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(mapping.Content); i += 2 {
			if !yield(mapping.Content[i], mapping.Content[i+1]) {
				return
			}
		}
	}
}

// Find returns a key of a mapping with its value. Without such a key, or a mapping, the key is nil and the value empty.
func Find(mapping *yaml.Node, name string) (key, value *yaml.Node) {
	if mapping != nil && mapping.Kind == yaml.MappingNode {
		for key, value := range Pairs(mapping) {
			if key.Value == name {
				return key, value
			}
		}
	}
	return nil, &yaml.Node{}
}

// All yields a node and those below it, in order of appearance, and nothing for nil. Aliases lead nowhere: what they
// stand for is yielded where it stands.
func All(n *yaml.Node) iter.Seq[*yaml.Node] {
	return func(yield func(*yaml.Node) bool) {
		if n != nil {
			walk(n, yield)
		}
	}
}

// walk reports whether it came to the end.
func walk(n *yaml.Node, yield func(*yaml.Node) bool) bool {
	return yield(n) && !slices.ContainsFunc(n.Content, func(child *yaml.Node) bool { return !walk(child, yield) })
}

var (
	version12 = regexp.MustCompile(`(?m)^(%YAML[ \t]+1\.)2`)
	plainWord = regexp.MustCompile(`[^\s\[\]{},"'?:]\?+`)
)

// parse parses every document with yaml.v3, making up for two things that libyaml 0.2.5 accepts and it does not: the
// directive %YAML 1.2, and question marks inside a plain word of a flow collection.
func parse(src []byte) ([]*yaml.Node, error) {
	src = version12.ReplaceAll(src, []byte("${1}1"))
	documents, err := parseAll(bytes.NewReader(src))
	const standIn = "\uE000" // private use: in no name that Nix or git would take
	if err == nil || !bytes.Contains(src, []byte("?")) || bytes.Contains(src, []byte(standIn)) {
		return documents, err
	}
	disguised := plainWord.ReplaceAllFunc(src, func(word []byte) []byte {
		return bytes.ReplaceAll(word, []byte("?"), []byte(standIn))
	})
	documents, again := parseAll(bytes.NewReader(disguised))
	if again != nil {
		return nil, err
	}
	for _, document := range documents {
		for n := range All(document) {
			n.Value = strings.ReplaceAll(n.Value, standIn, "?")
		}
	}
	return documents, nil
}

// parseAll is the border to yaml.v3, whose parser has panicked on odd input before.
func parseAll(r io.Reader) (documents []*yaml.Node, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			documents, err = nil, fmt.Errorf("yaml: the parser gave up: %v", broken)
		}
	}()
	decoder := yaml.NewDecoder(r)
	for {
		var document yaml.Node
		switch err := decoder.Decode(&document); {
		case errors.Is(err, io.EOF):
			return documents, nil
		case err != nil:
			return nil, err
		}
		documents = append(documents, &document)
	}
}

var (
	yamlLine = regexp.MustCompile(`^line (\d+): `)
	starred  = regexp.MustCompile(`(^|[\s\[{,])\*[^\s,\]}]*[.*]`)
)

// syntaxError says where YAML is broken. The parser tells at best the line where the broken block began.
func syntaxError(file string, src []byte, err error) diag.Diagnostic {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if found := yamlLine.FindStringSubmatch(message); found != nil {
		message = message[len(found[0]):]
		line, _ = strconv.Atoi(found[1])
		if strings.HasPrefix(message, "did not find expected") && !strings.Contains(message, "alphabetic") {
			line++ // the parser, unlike the scanner, counts from 0
		}
	}
	lines := bytes.SplitAfter(src, []byte("\n"))
	if found := brokenLine(src, lines); found > 0 {
		line = found
	}
	text := ""
	if line > 0 && line <= len(lines) {
		text = string(lines[line-1])
	}
	return diag.Diagnostic{
		Pos:      diag.Pos{File: file, Line: line},
		Severity: diag.Error,
		Code:     "yaml-syntax",
		Message:  "not valid YAML: " + diag.OneLine(message, 80),
		Hint:     syntaxHint(message, text),
	}
}

// brokenLine finds the line before which the text parses, and with which it does not; it is 0 where looking is dear.
func brokenLine(src []byte, lines [][]byte) int {
	const near, limit = 30, 256 << 10
	if len(src) > limit || !utf8.Valid(src) {
		return 0
	}
	reader := byteReader{bytes.NewReader(src)}
	if _, err := parseAll(reader); err == nil {
		return 0
	}
	read := src[:len(src)-reader.Len()]
	broken := 1 + bytes.Count(read[:max(len(read)-1, 0)], []byte("\n")) // where the last byte that was read stands
	parses := func(lineCount int) bool {
		_, err := parse(bytes.Join(lines[:lineCount], nil))
		return err == nil
	}
	for last := broken; broken > max(last-near, 0); broken-- {
		if parses(broken - 1) {
			return broken
		}
	}
	// A construct was left open long before. Halving may stop at the beginning of a sound one of many lines.
	return sort.Search(broken, func(lineCount int) bool { return !parses(lineCount) })
}

// byteReader hands out one byte at a time and so shows how far a parser came.
type byteReader struct{ *bytes.Reader }

func (r byteReader) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(1, len(p))]) }

// syntaxHint knows the mistakes seen in real files.
func syntaxHint(message, line string) string {
	star := strings.Contains(message, "alphabetic or numeric") || strings.Contains(message, "unknown anchor")
	switch {
	case star && starred.MatchString(line):
		return `quote a matcher or pattern that starts with "*", for example "*.x86_64-linux.*"`
	case star:
		return `quote text that starts with "*" or "&", or check the name of the alias`
	case strings.Contains(message, "control characters"), strings.Contains(message, "UTF-8"):
		return "save the file as UTF-8 text"
	case strings.HasPrefix(strings.TrimLeft(line, " "), "\t"):
		return "indent with spaces, not tabs"
	case strings.Contains(message, "mapping values are not allowed") && strings.Count(line, ": ") > 1:
		return `quote text that holds ": "`
	}
	return "check the indentation and the quotes around this line"
}

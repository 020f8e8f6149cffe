package document

import (
	"bytes"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"garnix2gha/generator/diag"
)

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

// brokenLine finds the line that makes the text invalid: the text before it parses, the text with it does not.
// It is 0 where looking is dear or makes no sense.
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

package output

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"

	"garnix2gha/generator/diag"
)

const columns = 80 // where prettier breaks a list

// JSON prints JSON as prettier does, and every letter beyond ASCII as an escape, so that it is what it looks like:
// objects open, an entry a line, and lists on one line where they fit.
func JSON(value any) ([]byte, error) {
	var raw bytes.Buffer
	if err := diag.JSON(&raw, value); err != nil {
		return nil, fmt.Errorf("encode JSON: %w", err)
	}
	var lines []string
	var open []int // the lines that begin the lists around this one
	for line := range strings.SplitSeq(strings.TrimSuffix(ascii(raw.String()), "\n"), "\n") {
		lines = append(lines, line)
		switch text := strings.TrimLeft(line, " "); {
		case strings.HasSuffix(text, "["):
			open = append(open, len(lines)-1)
		case text == "]", text == "],":
			first := open[len(open)-1]
			open = open[:len(open)-1]
			if short, ok := joined(lines[first:]); ok {
				lines = append(lines[:first], short)
			}
		}
	}
	return []byte(strings.Join(lines, "\n") + "\n"), nil
}

// joined writes a list of several lines on one, if that is short and no item needs several.
func joined(lines []string) (string, bool) {
	line := lines[0]
	for i, item := range lines[1:] {
		if strings.HasSuffix(item, "{") || strings.HasSuffix(item, "[") || len(line) > columns {
			return "", false
		}
		if i > 0 && i < len(lines)-2 {
			line += " "
		}
		line += strings.TrimLeft(item, " ")
	}
	return line, len(line) <= columns
}

func ascii(text string) string {
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		if unit > 0x7e {
			fmt.Fprintf(&out, `\u%04x`, unit)
		} else {
			out.WriteByte(byte(unit))
		}
	}
	return out.String()
}

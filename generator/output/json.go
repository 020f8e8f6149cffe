package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

const columns = 80 // where prettier breaks a list

// JSON prints JSON as prettier does, and every letter beyond ASCII as an escape, so that it is what it looks like:
// objects open, an entry a line, and lists on one line where they fit.
func JSON(value any) ([]byte, error) {
	var raw bytes.Buffer
	encoder := json.NewEncoder(&raw)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encode JSON: %w", err)
	}
	p := printer{decoder: json.NewDecoder(&raw)}
	p.decoder.UseNumber()
	text, err := p.value(0, 0)
	if err != nil {
		return nil, fmt.Errorf("print JSON: %w", err)
	}
	return []byte(text + "\n"), nil
}

// printer reads the tokens of a document and returns the text of each value.
type printer struct{ decoder *json.Decoder }

// value prints what comes next, at an indentation and behind a key of so many columns.
func (p printer) value(indent, key int) (string, error) {
	token, err := p.decoder.Token()
	if err != nil {
		return "", err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return p.object(indent)
		}
		return p.array(indent, key)
	case string:
		return quote(token)
	case nil:
		return "null", nil
	}
	return fmt.Sprint(token), nil
}

func (p printer) object(indent int) (string, error) {
	var entries []string
	for p.decoder.More() {
		token, err := p.decoder.Token()
		if err != nil {
			return "", err
		}
		name, ok := token.(string)
		if !ok {
			return "", io.ErrUnexpectedEOF
		}
		key, err := quote(name)
		if err != nil {
			return "", err
		}
		value, err := p.value(indent+2, len(key)+2)
		if err != nil {
			return "", err
		}
		entries = append(entries, key+": "+value)
	}
	_, err := p.decoder.Token()
	return between("{", entries, "}", indent), err
}

func (p printer) array(indent, key int) (string, error) {
	var items []string
	for p.decoder.More() {
		item, err := p.value(indent+2, 0)
		if err != nil {
			return "", err
		}
		items = append(items, item)
	}
	_, err := p.decoder.Token()
	line := "[" + strings.Join(items, ", ") + "]"
	width := indent + key + len(line)
	if p.decoder.More() {
		width += len(",")
	}
	if width <= columns && !strings.Contains(line, "\n") {
		return line, err
	}
	return between("[", items, "]", indent), err
}

// between writes the parts of a value, a line each.
func between(opening string, parts []string, closing string, indent int) string {
	if len(parts) == 0 {
		return opening + closing
	}
	margin := "\n" + strings.Repeat(" ", indent)
	return opening + margin + "  " + strings.Join(parts, ","+margin+"  ") + margin + closing
}

func quote(s string) (string, error) {
	var raw bytes.Buffer
	encoder := json.NewEncoder(&raw)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		return "", err
	}
	var out strings.Builder
	for _, r := range strings.TrimSuffix(raw.String(), "\n") {
		switch {
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		case r > 0x7e:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String(), nil
}

package diag

import (
	"fmt"
	"io"
	"strings"
)

// Text prints one diagnostic a line, its hint on a line of its own.
func Text(w io.Writer, l List, color bool) error {
	var b strings.Builder
	for _, d := range l {
		b.WriteString(Printable(d.Pos.String()))
		if d.File != "" {
			b.WriteString(": ")
		}
		if color || d.Severity != Error {
			b.WriteString(paint(color, d.Severity, string(d.Severity)) + ": ")
		}
		fmt.Fprintf(&b, "%s [%s]\n", Printable(d.Message), d.Code)
		if d.Hint != "" {
			fmt.Fprintf(&b, "hint: %s\n", Printable(d.Hint))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Annotations prints GitHub workflow commands that annotate the files.
// Source: GitHub's toolkit, which escapes %, CR and LF in data and also ":" and "," in properties.
func Annotations(w io.Writer, l List) error {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	var b strings.Builder
	for _, d := range l {
		fmt.Fprintf(&b, "::%s ", d.Severity)
		if d.File != "" {
			fmt.Fprintf(&b, "file=%s,", property.Replace(d.File))
		}
		if d.Line > 0 {
			fmt.Fprintf(&b, "line=%d,", d.Line)
		}
		if d.Column > 0 {
			fmt.Fprintf(&b, "col=%d,", d.Column)
		}
		message := d.Message
		if d.Hint != "" {
			message += "\n" + d.Hint
		}
		lines := strings.Split(message, "\n")
		for i, line := range lines {
			lines[i] = Printable(line)
		}
		fmt.Fprintf(&b, "title=%s::%s\n", property.Replace("garnix2gha "+d.Code), data.Replace(strings.Join(lines, "\n")))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func paint(color bool, s Severity, text string) string {
	if !color {
		return text
	}
	code := map[Severity]string{Error: "31", Warning: "33", Notice: "36"}[s]
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

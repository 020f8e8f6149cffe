// Package diag says where something is wrong and how to say it.
//
// A problem in what the user wrote is a Diagnostic and travels as data; a failure of the program is an error and
// travels apart.
package diag

import (
	"cmp"
	"fmt"
	"slices"
)

// Severity orders diagnostics by what they mean for the run.
type Severity string

// The severities: an error makes the run fail, a warning does not, a notice only informs.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Notice  Severity = "notice"
)

// Pos is a place in a file. Line and Column are 1-based and count characters; 0 means unknown.
// File is a slash-separated path relative to the repository root.
type Pos struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// String renders file:line:col, leaving out what is unknown.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Diagnostic is one problem. Code is a stable kebab-case word; Hint is the next step and may be empty.
type Diagnostic struct {
	Pos
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Message  string   `json:"message"`
	Hint     string   `json:"hint"`
}

// String renders "file:line:col: message [code]" without the hint.
func (d Diagnostic) String() string {
	text := fmt.Sprintf("%s [%s]", d.Message, d.Code)
	if at := d.Pos.String(); at != "" {
		return at + ": " + text
	}
	return text
}

// List collects diagnostics; the zero value is ready.
type List []Diagnostic

// Add appends a diagnostic whose message is formatted and whose hint may be "".
func (l *List) Add(s Severity, p Pos, code, hint, format string, args ...any) {
	*l = append(*l, Diagnostic{Pos: p, Severity: s, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// Errorf appends an error.
func (l *List) Errorf(p Pos, code, hint, format string, args ...any) {
	l.Add(Error, p, code, hint, format, args...)
}

// Warnf appends a warning.
func (l *List) Warnf(p Pos, code, hint, format string, args ...any) {
	l.Add(Warning, p, code, hint, format, args...)
}

// Sorted returns the list by file, line, column, code and message, without exact duplicates.
func (l List) Sorted() List {
	out := slices.Clone(l)
	slices.SortStableFunc(out, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(out)
}

// HasErrors reports whether any diagnostic is an error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Package explain tells what the codes of findings, and the statuses of generated files, mean. Its texts are data:
// codes/GROUP/CODE.txtar, where the first line is the summary, lines that begin with "$ " are commands, and the files
// are those of an example in which the commands show the code. Where files alone cannot show it, "output" is what
// people see, and "test" names the test that does.
package explain

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

//go:embed codes
var texts embed.FS

// Page explains one code.
type Page struct {
	Code     string   `json:"code"` // one that ends in -KIND stands for all of that beginning
	Group    string   `json:"group"`
	Summary  string   `json:"summary"`
	Text     string   `json:"text"`             // paragraphs of at most 80 columns, without a final newline
	Files    []File   `json:"files"`            // of the example
	Commands []string `json:"commands"`         // that show the code there, for a shell
	Output   string   `json:"output,omitempty"` // what they show, if the files are not enough for it
	Test     string   `json:"-"`                // shows such a code
	Source   string   `json:"-"`                // the page's file, by its path in this package
}

// File is a file of an example by its path below the repository's root.
type File struct {
	Path    string `json:"path"`
	Content string `json:"content"`
}

const anyKind = "KIND" // ends the codes of pages that are about several

// Pages returns all pages by group and code.
func Pages() []Page {
	names, _ := fs.Glob(texts, "codes/*/*.txtar") // an error is about the pattern
	pages := make([]Page, 0, len(names))
	for _, name := range names {
		content, _ := texts.ReadFile(name) // it is there
		pages = append(pages, parse(name, content))
	}
	slices.SortFunc(pages, func(a, b Page) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Code, b.Code))
	})
	return pages
}

func parse(name string, content []byte) Page {
	archive := txtar.Parse(content)
	page := Page{Code: strings.TrimSuffix(path.Base(name), ".txtar"), Group: path.Base(path.Dir(name)), Source: name}
	page.Files, page.Commands = []File{}, []string{}
	var text strings.Builder
	for i, line := range strings.Split(string(archive.Comment), "\n") {
		command, ok := strings.CutPrefix(line, "$ ")
		switch {
		case i == 0:
			page.Summary = line
		case ok:
			page.Commands = append(page.Commands, command)
		default:
			text.WriteString(line + "\n")
		}
	}
	page.Text = strings.TrimSpace(text.String())
	for _, file := range archive.Files {
		switch file.Name {
		case "output":
			page.Output = string(file.Data)
		case "test":
			page.Test = strings.TrimSpace(string(file.Data))
		default:
			page.Files = append(page.Files, File{Path: file.Name, Content: string(file.Data)})
		}
	}
	return page
}

// Find returns the page of a code.
func Find(code string) (Page, bool) {
	for _, page := range Pages() {
		start, ok := strings.CutSuffix(page.Code, anyKind)
		if page.Code == code || ok && len(code) > len(start) && strings.HasPrefix(code, start) {
			return page, true
		}
	}
	return Page{}, false
}

// String is the page as people read it.
func (p Page) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n", p.Summary, p.Text)
	lead := "For example, "
	for _, file := range p.Files {
		fmt.Fprintf(&b, "\n%s%s:\n\n%s", lead, file.Path, indent(file.Content))
		lead = "With "
	}
	lead = "Shown by"
	switch {
	case p.Output != "":
		lead = "Files alone do not show it; it looks like this"
	case len(p.Files) == 0:
		lead = "For example"
	}
	fmt.Fprintf(&b, "\n%s:\n\n%s", lead, indent("$ "+strings.Join(p.Commands, "\n$ ")+"\n"+p.Output))
	return b.String()
}

var lineStart = regexp.MustCompile(`(?m)^.`)

func indent(text string) string { return lineStart.ReplaceAllString(text, "    $0") }

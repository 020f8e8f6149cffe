// How results, findings and what goes on are printed.

package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/rogpeppe/go-internal/diff"
	"golang.org/x/term"

	"garnix2gha/cmd/internal/explain"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
)

// failing is errProblems if there are problems, which have been printed.
func failing(problems bool) error {
	if problems {
		return errProblems
	}
	return nil
}

// sound is errProblems if there are errors among the findings, which then have all been printed.
func (o *options) sound(l diag.List) error {
	if !l.HasErrors() {
		return nil
	}
	return cmp.Or(o.printDiagnostics(l), errProblems)
}

// printDiagnostics prints findings: text on stderr, what machines read on stdout.
func (o *options) printDiagnostics(l diag.List) error {
	switch o.format {
	case "json":
		return o.printJSON(map[string]any{"diagnostics": nonNil(l)})
	case "github":
		return diag.Annotations(o.stdout, l)
	case "sarif":
		return o.printSARIF(l)
	}
	return o.printText(l)
}

// printText prints findings for people: on a terminal with the lines that they are about and, once, where to read more.
func (o *options) printText(l diag.List) error {
	if !o.terminal(o.stderr) {
		return diag.Text(o.stderr, l, diag.Style{})
	}
	style := diag.Style{Sources: o.sources, Color: o.getenv("NO_COLOR") == "" && o.getenv("TERM") != "dumb"}
	if style.Color {
		style.Page = func(code string) string { return explanation(homepage, code) }
	}
	if err := diag.Text(o.stderr, l, style); err != nil || len(l) == 0 || o.toldMore {
		return err
	}
	o.toldMore = true
	_, err := fmt.Fprintf(o.stderr, "explain: garnix2gha explain %s\n", l[0].Code)
	return err
}

// explanation is the address of a code's explanation below the repository's, "" in a build that does not know that one.
func explanation(home, code string) string {
	page, found := explain.Find(code)
	if home == "" || !found {
		return ""
	}
	return fmt.Sprintf("%s/blob/%s/cmd/internal/explain/%s", home, buildVersion(), page.Source)
}

// printSARIF prints findings for code scanning, which takes none without a file of the repository: such a one is about
// what garnix.yaml asks for, and says where it stands itself.
func (o *options) printSARIF(l diag.List) error {
	l = slices.Clone(l)
	for i := range l {
		if !filepath.IsLocal(l[i].File) {
			l[i].Message = strings.TrimPrefix(l[i].Pos.String()+": ", ": ") + l[i].Message
			l[i].Pos = posOf(repo.ConfigFile)
		}
	}
	return diag.SARIF(o.stdout, l, buildVersion(), func(code string) (summary, help string) {
		page, _ := explain.Find(code) // a test holds that there is one
		return page.Summary, page.String()
	})
}

// printWarnings prints what a command that goes on has to say; what is one document carries it in the command's own output.
func (o *options) printWarnings(l diag.List) error {
	if o.format == "json" || o.format == "sarif" {
		return nil
	}
	return o.printDiagnostics(l)
}

func (o *options) printJSON(value any) error {
	return diag.JSON(o.stdout, value)
}

// table aligns the columns of what is written to it, once it is flushed.
func table(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

// printList prints a title and lines below it, or nothing without lines.
func printList(w io.Writer, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintln(w, title)
	for _, line := range lines {
		fmt.Fprintf(w, "  %s\n", diag.Printable(line))
	}
}

// say prints texts that others may have had a part in, each as what it is, such as a warning.
func (o *options) say(what string, texts []string) {
	for _, text := range texts {
		fmt.Fprintf(o.stderr, "%s: %s\n", what, diag.Printable(text))
	}
}

// results is where results go. It remembers the first error, as few look at what printing returns.
type results struct {
	io.Writer
	err error
}

func (r *results) Write(p []byte) (int, error) {
	n, err := r.Writer.Write(p)
	r.err = cmp.Or(r.err, err)
	return n, err
}

// terminal reports whether w is a terminal, where alone progress and colour belong.
func (o *options) terminal(w io.Writer) bool {
	if printed, ok := w.(*results); ok {
		w = printed.Writer
	}
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

func posOf(path string) diag.Pos { return diag.Pos{File: path} }

// collapsed is the folder of the programs for what lies in it, and other files themselves.
func collapsed(name string) string {
	if strings.HasPrefix(name, output.Programs+"/") {
		return output.Programs
	}
	return name
}

// unified is a change as a unified diff; nil is no file.
func unified(path string, old, fresh []byte) string {
	from, to := "a/"+diag.Printable(path), "b/"+diag.Printable(path)
	if old == nil {
		from = "/dev/null"
	}
	if fresh == nil {
		to = "/dev/null"
	}
	return string(diff.Diff(from, old, to, fresh))
}

// nonNil makes an empty list print as [] in JSON.
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// plural returns "1 file", "2 files".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// fileJSON is one file in the JSON of the commands that compare or change files.
type fileJSON struct {
	Path   string `json:"path"`
	Action string `json:"action,omitempty"` // created, updated, unchanged or removed
	Status string `json:"status,omitempty"` // of a generated file, and why
	Cause  string `json:"cause,omitempty"`
	Diff   string `json:"diff,omitempty"` // of what is not carried out

	stat string // how many lines differ
}

// filesOf are changes as they are printed; only what is not carried out has a diff.
func filesOf(changes []output.Change, dryRun bool) []fileJSON {
	files := []fileJSON{}
	for _, change := range changes {
		file := fileJSON{Path: change.Path, Action: action(change), Status: string(change.Status), Cause: change.Cause}
		if dryRun && file.Action != "unchanged" {
			file.Diff = unified(change.Path, change.Old, change.New)
		}
		files = append(files, file)
	}
	return files
}

// printFile prints a file that changed, or the diff of one that would.
func (o *options) printFile(f fileJSON, dryRun bool) {
	if dryRun {
		o.printDiff(o.stdout, f.Diff)
		return
	}
	fmt.Fprintf(o.stdout, "%-9s %s\n", f.Action, diag.Printable(f.Path))
}

// printDiff prints a diff as it is, for patch, but not on a terminal: its lines come from files that may hold anything.
func (o *options) printDiff(w io.Writer, text string) {
	if o.terminal(w) {
		text = diag.PrintableBut(text, "\t\n")
	}
	fmt.Fprint(w, text)
}

// message is an error as people are told it: foreign text in it may hold anything, and a line ends only before a hint.
func message(err error) string {
	parts := strings.Split(err.Error(), "\nhint: ")
	for i, part := range parts {
		parts[i] = diag.Printable(part)
	}
	return strings.Join(parts, "\nhint: ")
}

// progress shows on a terminal what is being done. It returns what changes that, nil elsewhere, and what removes it.
func (o *options) progress(what string) (show func(string), done func()) {
	if !o.terminal(o.stderr) || o.getenv("TERM") == "dumb" {
		return nil, func() {}
	}
	show, done = statusLine(o.stderr)
	show(what)
	return show, done
}

// statusLine keeps a line of w up to date, some times a second and not once for each of a hundred thousand paths. What
// stays the same for two seconds gets a clock.
func statusLine(w io.Writer) (show func(string), done func()) {
	const clear = "\r\x1b[K"
	var mu sync.Mutex
	var text string
	var since time.Time
	over := make(chan struct{})
	var drawing sync.WaitGroup
	drawing.Go(func() {
		for {
			select {
			case <-over:
				fmt.Fprint(w, clear)
				return
			case <-time.After(200 * time.Millisecond):
			}
			mu.Lock()
			line := text + " …"
			if took := time.Since(since).Truncate(time.Second); took >= 2*time.Second {
				line += " " + took.String()
			}
			if text != "" {
				fmt.Fprint(w, clear, line)
			}
			mu.Unlock()
		}
	})
	show = func(what string) {
		mu.Lock()
		defer mu.Unlock()
		if what = strings.TrimSpace(what); what != text {
			text, since = what, time.Now()
		}
	}
	return show, sync.OnceFunc(func() {
		close(over)
		drawing.Wait()
	})
}

// Package convert makes what the page shows of what was pasted into it. It is pure: a request in, a response out.
package convert

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/output"
	"garnix2gha/generator/report"
	"garnix2gha/generator/settings"
	"garnix2gha/templates"
)

// CacheField is what findings about the cache's name have for a file.
const CacheField = "cache name"

// Request is what the page's fields hold. A field of white space alone is a file that is not there.
type Request struct {
	Config string `json:"config"` // garnix.yaml
	Lock   string `json:"lock"`   // lock.json, as "garnix2gha snapshot" writes it
	Cache  string `json:"cache"`  // the name that "garnix2gha init --cache" would get
}

// Response is what the page shows. With an error among the findings it has no targets and no files.
type Response struct {
	Summary  string    `json:"summary"` // one sentence
	Findings diag.List `json:"findings"`
	Targets  []Target  `json:"targets"`
	Files    []File    `json:"files"`
	Archive  []byte    `json:"-"` // a zip of the files that belong into the repository; nil without any
}

// Target is something that is built or run.
type Target struct {
	Name   string `json:"name"`   // attribute path, or with Open the matcher
	System string `json:"system"` // "" where only the flake tells
	When   string `json:"when"`   // every branch, or which
	Line   int    `json:"line"`   // of the matcher in garnix.yaml; 0 for garnix's default
	Open   bool   `json:"open"`   // every run lists what the flake has by this matcher
}

// File is a file as "garnix2gha generate" writes it, or the report, which stands in no repository.
type File struct {
	Path  string `json:"path"`
	Group string `json:"group"`
	Text  string `json:"text"`
}

// The groups of files.
const (
	groupWorkflows = "Workflows"
	groupData      = "What they read"
	groupReport    = "For the pull request"
	groupPrograms  = "What they run, the same in every repository"
)

// reportName is what the page calls the report.
const reportName = "report.md"

// Convert does what "garnix2gha init --cache" and "garnix2gha generate" do in a repository with the request's files. The
// version is that of the page. An error is a fault of this program.
func Convert(request Request, version string) (Response, error) {
	in := generator.Input{
		Config:    source(repo.ConfigFile, request.Config),
		Settings:  source(repo.SettingsFile, ""),
		Lock:      source(repo.LockFile, request.Lock),
		Overlay:   source(repo.OverlayFile, ""),
		Templates: templates.FS,
		Version:   version,
	}
	if name := strings.TrimSpace(request.Cache); name != "" {
		if found := settings.CheckCacheName(CacheField, name); found.HasErrors() {
			return refused(found), nil
		}
		var err error
		if in.Settings.Content, err = settings.WithCachix(settings.Template(), name); err != nil {
			return Response{}, err
		}
	}
	result, err := generator.Generate(in)
	if err != nil {
		return Response{}, err
	}
	if result.Diags.HasErrors() {
		return refused(result.Diags), nil
	}
	story := result.Report()
	response := Response{Findings: printable(append(fates(story), result.Diags...)), Targets: targets(result.Model)}
	for _, file := range result.Files {
		response.Files = append(response.Files, File{Path: file.Path, Group: groupOf(file.Path), Text: string(file.Data)})
	}
	if len(response.Files) > 0 {
		for _, given := range []generator.Source{in.Settings, in.Lock} {
			if given.Content != nil {
				response.Files = append(response.Files, File{Path: given.Path, Group: groupData, Text: string(given.Content)})
			}
		}
		if response.Archive, err = archive(response.Files); err != nil {
			return Response{}, err
		}
	}
	response.Summary = summary(result, response.Findings)
	response.Files = append(response.Files, File{Path: reportName, Group: groupReport, Text: story.Markdown()})
	arrange(response.Files, result.Plan.Files())
	return response, nil
}

func source(path, text string) generator.Source {
	if strings.TrimSpace(text) == "" {
		return generator.Source{Path: path}
	}
	return generator.Source{Path: path, Content: []byte(text)}
}

func refused(found diag.List) Response {
	return Response{Summary: "Not converted: " + remarks(found) + ".", Findings: printable(found), Targets: []Target{}, Files: []File{}}
}

// fates are the keys that did not just stay what they were. Those that garnix ignored have warnings of their own.
func fates(r report.Report) diag.List {
	var found diag.List
	titles := map[report.Fate]string{report.Lost: "lost", report.Changed: "with a difference", report.Manual: "left for you"}
	for _, key := range r.Keys {
		if title := titles[key.Fate]; title != "" {
			found.Add(diag.Notice, key.Pos, "", "", "%s (%s): %s", key.Path, title, key.Note)
		}
	}
	return found
}

// printable sorts findings and takes from their texts what could steer a page.
func printable(found diag.List) diag.List {
	out := diag.List{}
	for _, d := range found.Sorted() {
		d.Message, d.Hint = diag.Printable(d.Message), diag.Printable(d.Hint)
		out = append(out, d)
	}
	return out
}

func targets(m generator.Model) []Target {
	out := []Target{}
	for _, open := range m.Selection.Open {
		when := "every branch"
		if branch := m.Config.Sections[open.Section].Branch; branch != nil {
			when = diag.Printable("only " + *branch)
		}
		out = append(out, Target{Name: diag.Printable(open.Matcher.String()), When: when, Line: open.Matcher.Pos.Line, Open: true})
	}
	for _, t := range m.Selection.Targets {
		when := "every branch"
		if !t.AnyBranch {
			when = diag.Printable("only " + strings.Join(t.Branches, ", "))
		}
		out = append(out, Target{Name: diag.Printable(t.Attr.String()), System: string(t.System), When: when, Line: t.Matcher.Pos.Line})
	}
	for _, a := range m.Selection.Actions {
		out = append(out, Target{Name: diag.Printable(a.Attr().String()), System: string(flake.X8664Linux), When: "an action"})
	}
	return out
}

// summary says in a sentence or two what came out.
func summary(result generator.Result, found diag.List) string {
	text := "The configuration selects nothing, so no workflow is needed."
	if len(result.Files) > 0 {
		text = "Converted: " + cmp.Or(sum(
			count{len(result.Selection.Targets), "target", "targets"},
			count{len(result.Selection.Open), "pattern that each run looks up in the flake", "patterns that each run looks up in the flake"},
			count{len(result.Selection.Actions), "action", "actions"},
		), "nothing is selected") + "."
	}
	if remarks := remarks(found); remarks != "" {
		text += " " + remarks + "."
	}
	return text
}

func remarks(found diag.List) string {
	n := map[diag.Severity]int{}
	for _, d := range found {
		n[d.Severity]++
	}
	return sum(count{n[diag.Error], "error", "errors"}, count{n[diag.Warning], "warning", "warnings"}, count{n[diag.Notice], "note", "notes"})
}

// count is a number of things and what they are called.
type count struct {
	n         int
	one, more string
}

// sum enumerates what there is at least one of.
func sum(counts ...count) string {
	var parts []string
	for _, c := range counts {
		switch c.n {
		case 0:
		case 1:
			parts = append(parts, "1 "+c.one)
		default:
			parts = append(parts, fmt.Sprint(c.n, " ", c.more))
		}
	}
	return diag.Enumerate(parts, "and")
}

func groupOf(path string) string {
	switch {
	case strings.HasPrefix(path, output.Dir+"/"):
		return groupWorkflows
	case strings.HasPrefix(path, output.Programs+"/"):
		return groupPrograms
	}
	return groupData
}

// arrange puts first what a reader wants to see first; the others keep their order.
func arrange(files []File, workflows []string) {
	var first []string
	for _, name := range workflows {
		first = append(first, output.Path(name))
	}
	first = append(first, output.Targets, repo.SettingsFile, repo.LockFile, reportName)
	rank := func(f File) int {
		if i := slices.Index(first, f.Path); i >= 0 {
			return i
		}
		return len(first)
	}
	slices.SortStableFunc(files, func(a, b File) int { return cmp.Compare(rank(a), rank(b)) })
}

// archive packs files, not compressed: together they are small.
func archive(files []File) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	var failed error
	for _, file := range files {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: file.Path, Method: zip.Store})
		if err == nil {
			_, err = entry.Write([]byte(file.Text))
		}
		failed = errors.Join(failed, err)
	}
	if err := errors.Join(failed, w.Close()); err != nil {
		return nil, fmt.Errorf("pack the files: %w", err)
	}
	return out.Bytes(), nil
}

// Package generator turns a repository's garnix configuration into GitHub Actions workflows. It is pure: bytes in,
// files and diagnostics out; no disk, clock, environment, network or process.
//
// The rooms, in the order in which data passes through them; none imports a later one:
//
//	diag      where something is wrong and how to say it
//	document  a YAML file with positions, or where its syntax breaks
//	flake     Nix's nouns: systems, attribute paths, matchers, and the lock that lists a flake's outputs
//	config    garnix.yaml as garnix decoded it, what in it has no effect, and what to write instead
//	settings  .github/garnix2gha/config.yaml
//	target    which flake outputs are wanted, and why
//	plan      what CI shall do, and what its programs are told; every decision ends here
//	workflow  how GitHub writes it: plan, Jsonnet, canonical YAML
//	lint      is it a sound workflow
//	output    the form of a generated file, and how a committed one differs
//	report    what became of every key of garnix.yaml
package generator

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/document"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/lint"
	"garnix2gha/generator/output"
	"garnix2gha/generator/plan"
	"garnix2gha/generator/report"
	"garnix2gha/generator/settings"
	"garnix2gha/generator/target"
	"garnix2gha/generator/workflow"
)

// Source is an input file. A nil content means that there is none.
type Source struct {
	Path    string // slash path relative to the repository root, for messages and headers
	Content []byte
}

// Input is everything a rendering depends on.
type Input struct {
	Config    Source // garnix.yaml, at the root or below .github/garnix2gha
	Hidden    string // a second garnix.yaml, which is not read; "" without one
	Settings  Source
	Lock      Source
	Overlay   Source
	Misnamed  []string          // paths of files that look like garnix.yaml and that garnix never read
	Flake     Source            // flake.nix: only looked at for a garnix.config that no lock tells
	Workflows map[string][]byte // what lies in .github/workflows by path: only looked at for what the report says of it
	Templates fs.FS
	Version   string // of the program that writes, for targets.json
}

// Model is what the inputs mean, before anything is rendered.
type Model struct {
	plan.Input
	Plan  *plan.Plan // nil where the inputs cannot be read
	Diags diag.List
}

// Result is the model and its rendering.
type Result struct {
	Model
	Files []output.File // sorted by path
}

// Read decodes the configuration, the settings and the lock. With errors in Diags each may be nil.
func Read(in Input) Model {
	m := Model{Input: plan.Input{Foreign: maps.Clone(in.Workflows)}}
	maps.DeleteFunc(m.Foreign, func(_ string, content []byte) bool { return output.Generated(content) })
	add := func(l diag.List) { m.Diags = append(m.Diags, l...) }
	var found diag.List
	m.Settings, found = settings.Parse(in.Settings.Path, in.Settings.Content)
	add(found)
	if in.Lock.Content != nil {
		m.Lock, found = flake.DecodeLock(in.Lock.Path, in.Lock.Content)
		add(found)
	}
	m.Config, found = config.Resolve(in.Config.Path, in.Config.Content, m.Lock)
	add(found)
	if in.Hidden != "" {
		m.Diags.Warnf(diag.Pos{File: in.Hidden}, "config-hidden", "remove one of the two", "%s is read instead", in.Config.Path)
	}
	for _, file := range in.Misnamed {
		m.Diags.Warnf(diag.Pos{File: file}, "misnamed-config", "make it the garnix.yaml at the root if it is meant to count",
			"garnix never read %s, only garnix.yaml at the root", file)
	}
	if m.Lock == nil && in.Config.Content == nil && in.Flake.Path != "" && in.Flake.Content == nil {
		m.Diags.Warnf(diag.Pos{File: in.Flake.Path}, "flake-missing", "change into the repository of the flake, or name it with -C",
			"there is no flake.nix and no garnix.yaml, so there is nothing to build")
	}
	if m.Lock == nil && flakeConfig.Match(in.Flake.Content) {
		m.Diags.Warnf(diag.Pos{File: in.Flake.Path}, "flake-config-unknown", `run "garnix2gha snapshot", which reads it`,
			"the flake seems to have an output garnix.config, which garnix read before any file")
	}
	m.Diags = m.Diags.Sorted()
	return m
}

// flakeConfig finds what looks like the output garnix.config in a flake's text.
var flakeConfig = regexp.MustCompile(`(?m)^[^#\n]*\bgarnix(\.config\b|\s*=\s*(rec\s*)?\{\s*config\b)`)

// Decide reads the inputs, selects the targets of every branch and plans the workflows.
func Decide(in Input) Model {
	m := Read(in)
	if m.Diags.HasErrors() {
		return m
	}
	var found diag.List
	m.Selection, found = target.Select(m.Config, m.Lock, target.Commit{All: true})
	m.Diags = append(m.Diags, found...)
	m.Inputs, m.Version = in.digests(m.Config), in.Version
	m.Plan, found = plan.New(m.Input)
	m.Diags = append(m.Diags, found...).Sorted()
	return m
}

// Generate decides and renders. Problems of the input are in Diags, and then there are no files; the error is a fault
// of this program, and so is a lint finding in what it renders without an overlay.
func Generate(in Input) (Result, error) {
	result := Result{Model: Decide(in)}
	if result.Diags.HasErrors() {
		return result, nil
	}
	rendered, found, err := workflow.Render(in.Templates, result.Plan, in.Overlay.Path, in.Overlay.Content)
	if err != nil {
		return result, err
	}
	result.Diags = append(result.Diags, found...)
	if !found.HasErrors() {
		result.dropped(rendered, in.Overlay)
	}
	for _, file := range rendered {
		workflow, err := output.Workflow(file.Name, file.Body)
		if err != nil {
			return result, err
		}
		result.Files = append(result.Files, workflow)
	}
	if err := result.lint(in.Overlay); err != nil {
		return result, err
	}
	if len(result.Plan.Files()) > 0 {
		if err := result.programs(in.Templates); err != nil {
			return result, err
		}
	}
	slices.SortFunc(result.Files, func(a, b output.File) int { return strings.Compare(a.Path, b.Path) })
	result.Diags = result.Diags.Sorted()
	if result.Diags.HasErrors() {
		result.Files = nil
	}
	return result, nil
}

// dropped warns of planned workflows that an overlay leaves out: a forgotten "workflows" would remove them all.
func (r *Result) dropped(rendered []workflow.File, overlay Source) {
	for _, name := range r.Plan.Files() {
		if overlay.Content != nil && !slices.ContainsFunc(rendered, func(f workflow.File) bool { return f.Name == name }) {
			r.Diags.Warnf(diag.Pos{File: overlay.Path}, "overlay-drops", "return workflows { … } to keep it", "the overlay leaves out %s", name)
		}
	}
}

// lint checks every rendered file: nothing that does not pass is ever written.
func (r *Result) lint(overlay Source) error {
	labels := slices.Clone(r.Settings.PlanRunner)
	for _, runner := range r.Settings.Runners {
		labels = append(labels, runner...)
	}
	for _, file := range r.Files {
		found, err := lint.Check(file.Path, file.Data, labels)
		if err != nil {
			return err
		}
		for _, d := range found {
			switch {
			case d.Code == "actionlint-events" && r.Settings.Given("schedule"):
				d.Pos, d.Code = r.Settings.At("schedule"), "bad-schedule"
			case overlay.Content != nil: // the file is not on disk as it was linted
				d.Pos, d.Message = diag.Pos{File: overlay.Path}, fmt.Sprintf("it makes %s unsound: %s", path.Base(file.Path), d.Message)
				d.Hint = cmp.Or(r.meant(file, d.Message), d.Hint)
			case d.Code == "unversioned-pin": // ours have one, those of the settings need none
				action, _, _ := strings.Cut(d.Message, "@")
				d.Pos, d.Hint = r.Settings.At("pins."+action), "give sha: and version: there"
			case d.Code != "file-too-large":
				return fmt.Errorf("lint what was rendered: %s; nothing was written", d)
			}
			r.Diags = append(r.Diags, d)
		}
	}
	return nil
}

var namedJob = regexp.MustCompile(`job "([^"]+)"`)

// meant asks about the name of a workflow or of a job that the overlay has made, if it looks like one that was there.
func (r *Result) meant(file output.File, message string) string {
	question := diag.DidYouMean(path.Base(file.Path), r.Plan.Files())
	if job := namedJob.FindStringSubmatch(message); job != nil && question == "" {
		var others []string
		root, _ := document.Read(file.Path, file.Data)
		_, jobs := document.Find(root, "jobs")
		for key := range document.Pairs(jobs) {
			if key.Value != job[1] {
				others = append(others, key.Value)
			}
		}
		question = diag.DidYouMean(job[1], others)
	}
	return question
}

// programs adds what the workflows call, and targets.json, which tells it what to do.
func (r *Result) programs(templates fs.FS) error {
	r.Files = append(r.Files, output.Attributes())
	names, err := fs.Glob(templates, "ci/*")
	if err != nil {
		return fmt.Errorf("list programs: %w", err)
	}
	for _, name := range names {
		if !r.Plan.Wants(path.Base(name)) {
			continue
		}
		source, err := fs.ReadFile(templates, name)
		if err != nil {
			return fmt.Errorf("read program: %w", err)
		}
		r.Files = append(r.Files, output.Program(path.Base(name), source))
	}
	manifest := r.Plan.Manifest
	if manifest.Digest, err = output.ManifestDigest(manifest); err != nil {
		return err
	}
	data, err := output.JSON(manifest)
	if err != nil {
		return err
	}
	r.Files = append(r.Files, output.File{Path: output.Targets, Data: data})
	return nil
}

// digests identifies the inputs that decide something, or would if they were there, as far as a checkout has them.
func (in Input) digests(c *config.Config) map[string]string {
	out := map[string]string{}
	for _, source := range []Source{in.Config, in.Settings, in.Lock, in.Overlay} {
		hidden := source.Path == in.Config.Path && c.File != "" && c.File != source.Path
		if !hidden && fs.ValidPath(source.Path) {
			out[source.Path] = output.Digest(source.Path, source.Content)
		}
	}
	return out
}

// Report tells what became of the configuration.
func (m Model) Report() report.Report { return report.New(m.Plan, m.Diags) }

// Standing is how far files have got on their way to GitHub.
type Standing = report.Standing

// Next returns the lines that "generate" ends with.
func (m Model) Next(at Standing) []string { return report.Next(m.Plan, at) }

// CacheHint tells which cache the repository's other workflows name, if the settings are sound and name none; else it is "".
func (m Model) CacheHint() string { return report.CacheHint(m.Input) }

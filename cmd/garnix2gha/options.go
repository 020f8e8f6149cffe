package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/templates"
)

// options are the flags every command shares.
type options struct {
	environment
	dir    string
	config string
	format string
}

func (o *options) validate() error {
	switch o.format {
	case "text", "json", "github":
		return nil
	}
	return usagef("--format %q: want text, json or github", o.format)
}

// open finds and opens the repository, and says where it is unless that is the current folder. The caller closes it.
func (o *options) open() (*repo.Repo, string, error) {
	start := o.dir
	if start == "" {
		start = "."
	}
	if _, err := os.Stat(start); err != nil {
		return nil, "", fmt.Errorf("open repository: %w", err)
	}
	dir, err := repo.Find(start)
	switch {
	case errors.Is(err, repo.ErrNoRoot) && o.dir != "":
		dir = o.dir // without any file garnix's defaults hold
	case errors.Is(err, repo.ErrNoRoot):
		return nil, "", fmt.Errorf("%w; change into the repository or name it with -C", err)
	case err != nil:
		return nil, "", err
	}
	if here, err := filepath.Abs("."); err == nil && dir != here {
		fmt.Fprintf(o.stderr, "repository: %s\n", diag.Printable(dir))
	}
	r, err := repo.Open(dir)
	return r, dir, err
}

// input reads everything a rendering depends on.
func (o *options) input(r *repo.Repo) (generator.Input, error) {
	in := generator.Input{Templates: templates.FS, Version: buildVersion()}
	var err error
	for _, file := range []struct {
		into *generator.Source
		name string
		flag string
	}{
		{&in.Config, repo.ConfigFile, o.config},
		{&in.Settings, repo.SettingsFile, ""},
		{&in.Lock, repo.LockFile, ""},
		{&in.Overlay, repo.OverlayFile, ""},
		{&in.Flake, "flake.nix", ""},
	} {
		file.into.Path = file.name
		if file.flag == "" {
			file.into.Content, err = r.Read(file.name)
		} else {
			file.into.Path = relative(r.Dir(), file.flag)
			file.into.Content, err = readNamed(file.flag)
		}
		if err != nil {
			return in, err
		}
	}
	moved, err := r.Read(repo.MovedConfigFile)
	switch {
	case err != nil || moved == nil || o.config != "":
	case in.Config.Content != nil:
		in.Hidden = repo.MovedConfigFile
	default:
		in.Config = generator.Source{Path: repo.MovedConfigFile, Content: moved}
	}
	if err == nil {
		in.Misnamed, err = misnamed(r.FS(), in.Config.Content == nil)
	}
	return in, err
}

// relative names a file as seen from the repository root if it lies below it, else as the command line does.
func relative(root, name string) string {
	base, err := filepath.Abs(root)
	if err == nil {
		if full, err := filepath.Abs(name); err == nil {
			if rel, err := filepath.Rel(base, full); err == nil && filepath.IsLocal(rel) {
				return filepath.ToSlash(rel)
			}
		}
	}
	return filepath.ToSlash(name)
}

// misnamed lists the files that look like garnix.yaml and were never read: other spellings at the root and, unless another
// file is read, any spelling in a folder of it. Deeper ones belong to somebody else, such as a flake's templates.
func misnamed(root fs.FS, folders bool) ([]string, error) {
	entries, err := fs.ReadDir(root, ".")
	if err != nil {
		return nil, fmt.Errorf("list the repository: %w", err)
	}
	var found []string
	add := func(dir string, entry fs.DirEntry) {
		name := path.Join(dir, entry.Name())
		spelling := strings.TrimPrefix(strings.ToLower(entry.Name()), ".")
		if entry.Type().IsRegular() && name != repo.ConfigFile && (spelling == "garnix.yaml" || spelling == "garnix.yml") {
			found = append(found, name)
		}
	}
	for _, entry := range entries {
		add("", entry)
		if entry.IsDir() && folders {
			inner, _ := fs.ReadDir(root, entry.Name()) // a folder that cannot be read has nothing to tell
			for _, file := range inner {
				add(entry.Name(), file)
			}
		}
	}
	return found, nil
}

// readNamed reads a file that the command line names, which must exist.
func readNamed(name string) ([]byte, error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: not a regular file", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return repo.ReadLimited(file, name)
}

// generate reads the repository and renders it; every diagnostic has been printed when it returns. With errors in the
// input it returns errProblems.
func (o *options) generate(r *repo.Repo) (generator.Result, error) {
	in, err := o.input(r)
	if err != nil {
		return generator.Result{}, err
	}
	result, err := generator.Generate(in)
	if err != nil {
		return result, err
	}
	if result.Diags.HasErrors() {
		if err := o.printDiagnostics(result.Diags); err != nil {
			return result, err
		}
		return result, errProblems
	}
	return result, nil
}

// decide reads the repository and decides what is built. With errors in the input, which have been printed, it returns
// errProblems.
func (o *options) decide(r *repo.Repo) (generator.Model, error) {
	in, err := o.input(r)
	if err != nil {
		return generator.Model{}, err
	}
	model := generator.Decide(in)
	if model.Diags.HasErrors() {
		if err := o.printDiagnostics(model.Diags); err != nil {
			return model, err
		}
		return model, errProblems
	}
	return model, nil
}

// printDiagnostics prints findings: text on stderr, JSON and annotations on stdout.
func (o *options) printDiagnostics(l diag.List) error {
	switch o.format {
	case "json":
		return o.printJSON(map[string]any{"diagnostics": nonNil(l)})
	case "github":
		return diag.Annotations(o.stdout, l)
	}
	return diag.Text(o.stderr, l, o.color(o.stderr))
}

// printWarnings prints what a command that goes on has to say; JSON commands carry it in their own output.
func (o *options) printWarnings(l diag.List) error {
	if o.format == "json" {
		return nil
	}
	return o.printDiagnostics(l)
}

func (o *options) printJSON(value any) error {
	encoder := json.NewEncoder(o.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// terminal reports whether w is a terminal, where alone progress and colour belong.
func (o *options) terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

func (o *options) color(w io.Writer) bool {
	return o.getenv("NO_COLOR") == "" && o.terminal(w)
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
	if strings.HasSuffix(noun, "y") {
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

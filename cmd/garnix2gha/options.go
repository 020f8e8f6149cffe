// What every command shares: flags, the way to the repository, and what a rendering reads of it.

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
	"garnix2gha/generator/settings"
	"garnix2gha/templates"
)

// options are the flags every command shares.
type options struct {
	environment
	dir    string
	config string
	format string

	written   []string // the files that were changed so far
	elsewhere string   // once something may have changed elsewhere: how one sees whether it has

	sources  map[string][]byte // what was read of the repository, for findings that show their line
	unread   map[string]string // why what has a workflow's name was not read, by path
	toldMore bool              // where to read more about a code was said
}

// formats are what a command can print.
func formats(command *cobra.Command) []string {
	switch _, name, _ := strings.Cut(command.CommandPath(), " "); name {
	case "cache", "secrets", "eject", "help", "man", "pins keep",
		"completion", "completion bash", "completion fish", "completion powershell", "completion zsh":
		return []string{"text"}
	case "check", "generate", "lint", "leftovers", "cache verify":
		return []string{"text", "json", "github", "sarif"}
	case "targets", "snapshot", "retire":
		return []string{"text", "json", "github"}
	case "report":
		return []string{"text", "json", "markdown"}
	}
	return []string{"text", "json"}
}

// changed tells what was changed so far, to follow the word "interrupted".
func (o *options) changed() string {
	switch {
	case o.elsewhere != "":
		return "; " + o.elsewhere
	case len(o.written) > 0:
		return " after writing " + diag.Printable(strings.Join(o.written, ", "))
	}
	return ", nothing was changed"
}

// within finds the repository, says where it is unless that is the current folder, and opens it while do works.
func (o *options) within(do func(*repo.Repo) error) error {
	start := cmp.Or(o.dir, ".")
	switch info, err := os.Stat(start); {
	case err != nil:
		return fmt.Errorf("open repository: %w", err)
	case !info.IsDir():
		return usagef("-C wants a folder, and %s is none", start)
	}
	dir, err := repo.Find(start)
	switch {
	case errors.Is(err, repo.ErrNoRoot) && o.dir != "":
		return fmt.Errorf("%s: %w", diag.Printable(o.dir), err)
	case errors.Is(err, repo.ErrNoRoot):
		return fmt.Errorf("%w; change into the repository or name it with -C", err)
	case err != nil:
		return err
	}
	if here, err := filepath.Abs("."); err == nil && dir != here {
		fmt.Fprintf(o.stderr, "repository: %s\n", diag.Printable(dir))
	}
	r, err := repo.Open(dir)
	if err != nil {
		return err
	}
	defer r.Close()
	r.Changed = func(name string) { o.written = append(o.written, name) }
	return do(r)
}

// anywhere is within for what takes no repository: without one r is nil.
func (o *options) anywhere(do func(r *repo.Repo) error) error {
	err := o.within(do)
	if errors.Is(err, repo.ErrNoRoot) {
		return do(nil)
	}
	return err
}

// input reads everything a rendering depends on.
func (o *options) input(r *repo.Repo) (generator.Input, error) {
	in := generator.Input{Templates: templates.FS, Version: buildVersion()}
	var moved generator.Source
	for name, into := range map[string]*generator.Source{
		repo.ConfigFile: &in.Config, repo.MovedConfigFile: &moved, repo.SettingsFile: &in.Settings, repo.LockFile: &in.Lock,
		repo.OverlayFile: &in.Overlay, "flake.nix": &in.Flake,
	} {
		content, err := r.Read(name)
		if err != nil {
			return in, err
		}
		*into = generator.Source{Path: name, Content: content}
	}
	var err error
	if in.Workflows, o.unread, err = r.Workflows(output.Dir); err != nil {
		return in, err
	}
	switch {
	case o.config != "":
		in.Config.Path = filepath.ToSlash(o.config)
		in.Config.Content, err = readNamed(o.config)
	case moved.Content != nil && in.Config.Content != nil:
		in.Hidden = moved.Path
	case moved.Content != nil:
		in.Config = moved
	}
	in.Misnamed = misnamed(r.FS(), in.Config.Content == nil)
	o.sources = maps.Clone(in.Workflows)
	for _, source := range []generator.Source{in.Config, in.Lock, in.Overlay, in.Flake} { // a secret may be pasted into the settings
		o.sources[source.Path] = source.Content
	}
	return in, err
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

// misnamed lists the files that look like garnix.yaml and were never read: other spellings at the root and, unless another
// file is read, any spelling in a folder of it. Deeper ones belong to somebody else, such as a flake's templates.
func misnamed(root fs.FS, folders bool) []string {
	names, _ := fs.Glob(root, "*") // an error is about the pattern
	if folders {
		below, _ := fs.Glob(root, "*/*")
		names = append(names, below...)
	}
	return slices.DeleteFunc(names, func(name string) bool {
		spelling := strings.TrimPrefix(strings.ToLower(path.Base(name)), ".")
		info, err := fs.Lstat(root, name)
		return name == repo.ConfigFile || spelling != "garnix.yaml" && spelling != "garnix.yml" || err != nil || !info.Mode().IsRegular()
	})
}

// generate reads the repository and renders it. With errors in the input, which have been printed, it returns errProblems.
func (o *options) generate(r *repo.Repo) (generator.Result, error) {
	in, err := o.input(r)
	if err != nil {
		return generator.Result{}, err
	}
	result, err := generator.Generate(in)
	return result, cmp.Or(err, o.sound(result.Diags))
}

// decide reads the repository and decides what is built, with errors as generate has them.
func (o *options) decide(r *repo.Repo) (generator.Model, error) {
	in, err := o.input(r)
	if err != nil {
		return generator.Model{}, err
	}
	model := generator.Decide(in)
	return model, o.sound(model.Diags)
}

// settings reads the settings of the repository, if there is one, and nothing else of it.
func (o *options) settings() (found *settings.Settings, err error) {
	err = o.anywhere(func(r *repo.Repo) (err error) {
		found, err = o.settingsOf(r)
		return err
	})
	return found, err
}

// settingsOf reads the settings. Outside of a repository the defaults hold.
func (o *options) settingsOf(r *repo.Repo) (*settings.Settings, error) {
	if r == nil {
		return settings.Default(), nil
	}
	content, err := r.Read(repo.SettingsFile)
	if err != nil {
		return nil, err
	}
	s, found := settings.Parse(repo.SettingsFile, content)
	if s == nil {
		return nil, o.sound(found)
	}
	return s, o.printWarnings(found)
}

package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
)

func newGenerate(o *options) *cobra.Command {
	var dryRun, force bool
	command := &cobra.Command{
		Use:   "generate",
		Short: "Write the workflows",
		Long: `Write the workflows below .github/workflows and what they run below .github/garnix2gha, one line
a file: created, updated, unchanged or removed. A file that garnix2gha did not write, or that
somebody changed since, is neither overwritten nor removed unless --force is given. Pins that
a bot moved stay.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return generate(o, dryRun, force) },
	}
	command.Flags().BoolVar(&dryRun, "dry-run", false, "print the unified diff and write nothing")
	command.Flags().BoolVar(&force, "force", false, "overwrite and remove files that somebody else wrote or changed")
	return command
}

// fileJSON is one file in the JSON of generate and check.
type fileJSON struct {
	Path   string `json:"path"`
	Action string `json:"action,omitempty"` // generate: created, updated, unchanged, removed
	Status string `json:"status"`
	Cause  string `json:"cause"`
	Diff   string `json:"diff,omitempty"`

	stat string // how many lines differ
}

func generate(o *options, dryRun, force bool) error {
	r, _, err := o.open()
	if err != nil {
		return err
	}
	defer r.Close()
	result, changes, err := o.compare(r)
	if err != nil {
		return err
	}
	var edits []repo.Edit
	var files []fileJSON
	for _, change := range changes {
		if !force && protected(change, &result.Diags) {
			continue
		}
		action, edit := act(change)
		if edit != nil {
			edits = append(edits, *edit)
		}
		file := fileJSON{Path: change.Path, Action: action, Status: string(change.Status), Cause: change.Cause}
		if dryRun && edit != nil {
			file.Diff = unified(change)
		}
		files = append(files, file)
	}
	if result.Diags.HasErrors() {
		return o.refuse(result.Diags.Sorted(), changes)
	}
	if !dryRun {
		if err := r.Apply(edits); err != nil {
			return err
		}
	}
	return o.printGenerated(result, files, dryRun, len(edits) > 0)
}

// protected reports whether a file is somebody else's, whole or in part, and says so: an error where it would be
// overwritten, a warning where it would be removed.
func protected(change output.Change, diags *diag.List) bool {
	at := posOf(change.Path)
	switch {
	case change.Status == output.Foreign && change.New != nil:
		diags.Errorf(posOf(foldered([]string{change.Path})[0]), "foreign-file", "move it away, choose another name in the settings (files:), or pass --force", "%s; nothing was written", change.Cause)
	case change.Status == output.Edited:
		diags.Errorf(at, "edited-file", `move the change into .github/garnix2gha/config.yaml or overlay.libsonnet, or pass --force to lose it`, "%s; nothing was written", change.Cause)
	case change.Status == output.Foreign:
		diags.Warnf(at, "foreign-program", "move it away, or pass --force to remove it", "%s; it was left alone", change.Cause)
	case change.Status == output.Orphan && change.Edited:
		diags.Warnf(at, "edited-orphan", "remove it yourself, or pass --force", "%s; it was left alone", change.Cause)
	default:
		return false
	}
	return true
}

// refuse says why nothing is written, and shows what would have been lost.
func (o *options) refuse(diags diag.List, changes []output.Change) error {
	for _, change := range changes {
		if change.Status == output.Edited {
			fmt.Fprint(o.stderr, unified(change))
		}
	}
	if err := o.printDiagnostics(diags); err != nil {
		return err
	}
	return errProblems
}

// compare renders the repository and holds it against its disk.
func (o *options) compare(r *repo.Repo) (generator.Result, []output.Change, error) {
	result, err := o.generate(r)
	if err != nil {
		return result, nil, err
	}
	files, err := disk(r)
	if err != nil {
		return result, nil, err
	}
	return result, output.Compare(result.Files, files), nil
}

// disk reads what may be generated, by path.
func disk(r *repo.Repo) (map[string][]byte, error) {
	files, err := r.Workflows(output.Dir)
	if err != nil {
		return nil, err
	}
	programs, err := r.Tree(output.Programs)
	if err != nil {
		return nil, err
	}
	maps.Copy(files, programs)
	targets, err := r.Read(output.Targets)
	if targets != nil {
		files[output.Targets] = targets
	}
	return files, err
}

// act says what generate does about a change. A bot's newer pins are left as they are.
func act(change output.Change) (string, *repo.Edit) {
	switch change.Status {
	case output.Current, output.PinsMoved:
		return "unchanged", nil
	case output.Missing:
		return "created", &repo.Edit{Path: change.Path, Data: change.New}
	}
	if change.New == nil {
		return "removed", &repo.Edit{Path: change.Path}
	}
	return "updated", &repo.Edit{Path: change.Path, Data: change.New}
}

func (o *options) printGenerated(result generator.Result, files []fileJSON, dryRun, changed bool) error {
	if o.format == "json" {
		return o.printJSON(map[string]any{"files": nonNil(files), "diagnostics": nonNil(result.Diags)})
	}
	if err := o.printWarnings(result.Diags); err != nil {
		return err
	}
	for _, file := range files {
		if dryRun {
			fmt.Fprint(o.stdout, file.Diff)
			continue
		}
		fmt.Fprintf(o.stdout, "%-9s %s\n", file.Action, file.Path)
		if slices.Contains([]output.Status{output.Edited, output.PinsMoved}, output.Status(file.Status)) {
			fmt.Fprintf(o.stderr, "notice: %s: %s\n", file.Path, file.Cause)
		}
	}
	if dryRun || !changed {
		return nil
	}
	for _, step := range result.Next() {
		fmt.Fprintln(o.stderr, step)
	}
	return nil
}

// unified returns the change as a unified diff.
func unified(change output.Change) string {
	old, fresh := "a/"+change.Path, "b/"+change.Path
	if change.Old == nil {
		old = "/dev/null"
	}
	if change.New == nil {
		fresh = "/dev/null"
	}
	return string(diff.Diff(old, change.Old, fresh, change.New))
}

func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unexpected argument %q", args[0])
	}
	return nil
}

package main

import (
	"fmt"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/output"
)

func newGenerate(o *options) *cobra.Command {
	var dryRun, force bool
	command := &cobra.Command{
		Use:   "generate",
		Short: "Write the workflows",
		Long: `Write the workflows below .github/workflows, one line a file: created, updated, unchanged or
removed. A file without garnix2gha's header is neither overwritten nor removed unless
--force is given.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return generate(o, dryRun, force) },
	}
	command.Flags().BoolVar(&dryRun, "dry-run", false, "print the unified diff and write nothing")
	command.Flags().BoolVar(&force, "force", false, "overwrite files that garnix2gha did not write")
	return command
}

// fileJSON is one file in the JSON of generate and check.
type fileJSON struct {
	Path   string `json:"path"`
	Action string `json:"action,omitempty"` // generate: created, updated, unchanged, removed
	Status string `json:"status"`
	Cause  string `json:"cause"`
	Diff   string `json:"diff,omitempty"`
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
	refused := false
	for _, change := range changes {
		action, edit := act(change)
		if change.Status == output.Foreign && !force {
			refused = true
			result.Diags.Errorf(posOf(change.Path), "foreign-file", `move it away, choose another name in the settings (files:), or pass --force`,
				"%s; nothing was written", change.Cause)
			continue
		}
		if change.Status == output.Orphan && change.Edited && !force {
			result.Diags.Warnf(posOf(change.Path), "edited-orphan", "remove it yourself, or pass --force", "%s; it was left alone", change.Cause)
			continue
		}
		if edit != nil {
			edits = append(edits, *edit)
		}
		file := fileJSON{Path: change.Path, Action: action, Status: string(change.Status), Cause: change.Cause}
		if dryRun && edit != nil {
			file.Diff = unified(change)
		}
		files = append(files, file)
	}
	if refused {
		if err := o.printDiagnostics(result.Diags); err != nil {
			return err
		}
		return errProblems
	}
	if !dryRun {
		if err := r.Apply(edits); err != nil {
			return err
		}
	}
	return o.printGenerated(result, files, dryRun)
}

// compare renders the repository and holds it against its disk.
func (o *options) compare(r *repo.Repo) (generator.Result, []output.Change, error) {
	result, err := o.generate(r)
	if err != nil {
		return result, nil, err
	}
	disk, err := r.Workflows(output.Dir)
	if err != nil {
		return result, nil, err
	}
	return result, output.Compare(result.Files, disk), nil
}

// act says what generate does about a change. A bot's newer pins are left as they are.
func act(change output.Change) (string, *repo.Edit) {
	switch change.Status {
	case output.Current, output.PinsMoved:
		return "unchanged", nil
	case output.Missing:
		return "created", &repo.Edit{Path: change.Path, Data: change.New}
	case output.Orphan:
		return "removed", &repo.Edit{Path: change.Path}
	}
	return "updated", &repo.Edit{Path: change.Path, Data: change.New}
}

func (o *options) printGenerated(result generator.Result, files []fileJSON, dryRun bool) error {
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
		if file.Status == string(output.Edited) || file.Status == string(output.PinsMoved) {
			fmt.Fprintf(o.stderr, "notice: %s: %s\n", file.Path, file.Cause)
		}
	}
	if dryRun {
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

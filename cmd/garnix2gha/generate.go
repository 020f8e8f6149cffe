// The generated files: what would be written, writing it, and the report on it.

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/git"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
	"garnix2gha/generator/plan"
)

func newGenerate(o *options) *cobra.Command {
	var dryRun, force bool
	command := o.command("generate", func(ctx context.Context, r *repo.Repo) error { return o.runGenerate(ctx, r, dryRun, force) })
	command.Flags().BoolVar(&dryRun, "dry-run", false, "print the unified diff and write nothing")
	command.Flags().BoolVar(&force, "force", false, "overwrite and remove files that somebody else wrote or changed")
	return command
}

func (o *options) runGenerate(ctx context.Context, r *repo.Repo, dryRun, force bool) error {
	result, onDisk, err := o.rendered(r)
	if err != nil {
		return err
	}
	changes := o.compare(result.Files, onDisk)
	if force {
		changes = o.restored(result, onDisk)
	} else {
		changes = slices.DeleteFunc(changes, func(change output.Change) bool { return o.protected(change, &result.Diags) })
		if err := o.sound(result.Diags.Sorted()); err != nil {
			return err
		}
	}
	wanted := pending(changes...)
	if !dryRun {
		if err := r.Apply(wanted); err != nil {
			return err
		}
	}
	if err := o.printGenerated(result, filesOf(changes, dryRun), dryRun); err != nil || dryRun || o.format == "json" {
		return err
	}
	for _, line := range o.next(ctx, r, result, len(wanted) > 0) {
		fmt.Fprintln(o.stderr, line)
	}
	return nil
}

// next are the lines on what is left to do, as far as git knows without asking anybody.
func (o *options) next(ctx context.Context, r *repo.Repo, result generator.Result, written bool) []string {
	files := []string{cmp.Or(result.Config.File, repo.ConfigFile), repo.SettingsFile, repo.OverlayFile, repo.LockFile}
	for _, file := range result.Files {
		files = append(files, file.Path)
	}
	at := git.Standing{Committed: true, Pushed: true, Merged: true} // outside of git nothing is known but what was done
	if _, err := fs.Lstat(r.FS(), ".git"); err == nil {
		if known, err := git.WorkTree(r.Dir()).Standing(ctx, files, output.Targets); err == nil {
			at = known
		}
	}
	at.Committed = at.Committed && !written
	return result.Next(generator.Standing(at))
}

// protected reports whether a file is somebody else's, whole or in part, and says so: an error where it would be
// overwritten, with what would be lost of our own, a warning where it would be removed.
func (o *options) protected(change output.Change, diags *diag.List) bool {
	at := posOf(change.Path)
	switch {
	case change.Status == output.Foreign && change.New != nil:
		diags.Errorf(posOf(collapsed(change.Path)), "foreign-file", "move it away, choose another name in the settings (files:), or pass --force", "%s; nothing was written", change.Cause)
	case change.Status == output.Edited:
		diags.Errorf(at, "edited-file", fix(change.Path, change.Status), "%s; nothing was written", change.Cause)
		o.printDiff(o.stderr, unified(change.Path, change.Old, change.New))
	case change.Status == output.Foreign:
		diags.Warnf(at, "foreign-program", "move it away, or pass --force to remove it", "%s; it was left alone", change.Cause)
	case change.Status == output.Orphan && change.Edited:
		diags.Warnf(at, "edited-orphan", "remove it yourself, or pass --force", "%s; it was left alone", change.Cause)
	default:
		return false
	}
	return true
}

// rendered returns what would be written now, and what is on disk by path.
func (o *options) rendered(r *repo.Repo) (generator.Result, map[string][]byte, error) {
	result, err := o.generate(r)
	if err != nil {
		return result, nil, err
	}
	files, err := disk(r)
	var before plan.Manifest
	_ = json.Unmarshal(files[output.Targets], &before) // without one nothing went
	if named := before.Inputs[repo.ConfigFile] + before.Inputs[repo.MovedConfigFile]; named != "" && result.Config.File == "" {
		result.Diags.Warnf(posOf(repo.ConfigFile), "config-removed", `restore it; "garnix2gha retire --move-config" would keep it outside of the root`,
			"it is gone, so that garnix's default is built and not what it said")
	}
	return result, files, err
}

// compare judges files, and says what stands in the place of one that could not be read.
func (o *options) compare(want []output.File, disk map[string][]byte) []output.Change {
	changes := output.Compare(want, disk)
	for i, change := range changes {
		if why := o.unread[change.Path]; why != "" {
			changes[i].Status, changes[i].Cause = output.Foreign, why
		}
	}
	return changes
}

// disk reads what may be generated, by path. Another run may be writing: what it writes last is read first.
func disk(r *repo.Repo) (map[string][]byte, error) {
	targets, err := r.Read(output.Targets)
	files, _, unread := r.Workflows(output.Dir)
	programs, unlisted := r.Tree(output.Programs)
	if err := cmp.Or(err, unread, unlisted); err != nil {
		return nil, err
	}
	maps.Copy(files, programs)
	if targets != nil {
		files[output.Targets] = targets
	}
	return files, nil
}

// action says what a change does to its file. A bot's newer pins are left as they are.
func action(change output.Change) string {
	switch {
	case change.Status == output.Current, change.Status == output.PinsMoved:
		return "unchanged"
	case change.New == nil:
		return "removed"
	case change.Old == nil:
		return "created"
	case bytes.Equal(change.Old, change.New):
		return "unchanged"
	}
	return "updated"
}

// pending are the changes that do something.
func pending(changes ...output.Change) []output.Change {
	return slices.DeleteFunc(slices.Clone(changes), func(change output.Change) bool { return action(change) == "unchanged" })
}

func (o *options) printGenerated(result generator.Result, files []fileJSON, dryRun bool) error {
	if o.format == "json" {
		return o.printJSON(map[string]any{"files": nonNil(files), "diagnostics": nonNil(result.Diags)})
	}
	if o.format == "sarif" {
		return o.printDiagnostics(result.Diags)
	}
	if err := o.printWarnings(result.Diags); err != nil {
		return err
	}
	for _, file := range files {
		o.printFile(file, dryRun)
		if status := output.Status(file.Status); !dryRun && (status == output.Edited || status == output.PinsMoved) {
			o.say("notice", []string{file.Path + ": " + file.Cause})
		}
	}
	return nil
}

// report tells what is carried over, what is lost, and what is left to do.
func (o *options) report(_ context.Context, r *repo.Repo) error {
	result, err := o.generate(r)
	if err != nil {
		return err
	}
	if o.format == "json" {
		return o.printJSON(result.Report())
	}
	text := result.Report().Markdown()
	if o.format != "markdown" && o.terminal(o.stdout) {
		text = result.Report().Summary()
	}
	_, err = fmt.Fprint(o.stdout, text)
	return err
}

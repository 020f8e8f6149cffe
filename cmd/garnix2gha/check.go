// Check: whether the committed files are current.

package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
)

func newCheck(o *options) *cobra.Command {
	var strict, withDiff bool
	command := o.command("check", func(_ context.Context, r *repo.Repo) error { return o.check(r, strict, withDiff) })
	command.Flags().BoolVar(&strict, "strict", false, "fail on files that another version of garnix2gha wrote, and on contradicting pins, too")
	command.Flags().BoolVar(&withDiff, "diff", false, "print the unified diffs")
	return command
}

func (o *options) check(r *repo.Repo, strict, withDiff bool) error {
	result, onDisk, err := o.rendered(r)
	if err != nil {
		return err
	}
	diags := append(result.Diags, contradictions(onDisk, result.Settings, strict)...).Sorted()
	var files []fileJSON
	stale := diags.HasErrors()
	for _, change := range o.compare(result.Files, onDisk) {
		file := fileJSON{Path: change.Path, Status: string(change.Status), Cause: change.Cause}
		stale = stale || !change.Status.OK(strict)
		if change.Status != output.Current {
			text := unified(change.Path, change.Old, change.New)
			file.stat = stat(text)
			if withDiff {
				file.Diff = text
			}
		}
		files = append(files, file)
	}
	return cmp.Or(o.printChecked(files, diags, strict), failing(stale))
}

// stat counts the lines that a unified diff adds and removes.
func stat(unified string) string {
	added := strings.Count(unified, "\n+") - strings.Count(unified, "\n+++ ")
	removed := strings.Count(unified, "\n-") - strings.Count(unified, "\n--- ")
	if added+removed == 0 { // of a bot's pins, which stay
		return ""
	}
	return fmt.Sprintf("+%d -%d", added, removed)
}

func (o *options) printChecked(files []fileJSON, diags diag.List, strict bool) error {
	switch o.format {
	case "json":
		return o.printJSON(map[string]any{"diagnostics": nonNil(diags), "files": nonNil(files)})
	case "github", "sarif":
		for _, file := range files {
			switch status := output.Status(file.Status); {
			case !status.OK(strict):
				diags.Errorf(posOf(file.Path), file.Status, fix(file.Path, status), "%s", file.Cause)
			case status == output.StaleGenerator:
				diags.Add(diag.Notice, posOf(file.Path), file.Status, fix(file.Path, status), "%s", file.Cause)
			}
		}
		return o.printDiagnostics(diags)
	}
	if err := o.printDiagnostics(diags); err != nil {
		return err
	}
	o.printFiles(files)
	if len(files) == 0 {
		fmt.Fprintln(o.stdout, "nothing to check: garnix.yaml selects nothing and no workflow is ours")
	}
	return nil
}

// printFiles prints the status of each file; programs that are alike share a line. What puts files right is said last,
// once for all that it is for, which are named if there is more than one thing to do.
func (o *options) printFiles(files []fileJSON) {
	var todo []string
	names := map[string][]string{}
	for _, file := range gathered(files) {
		line := diag.Printable(file.Path) + ": " + file.Status
		if file.Cause != "" {
			line += ": " + file.Cause
		}
		if file.stat != "" {
			line += " (" + file.stat + ")"
		}
		fmt.Fprintln(o.stdout, line)
		o.printDiff(o.stdout, file.Diff)
		command := fix(file.Path, output.Status(file.Status))
		if command == "" {
			continue
		}
		if names[command] == nil {
			todo = append(todo, command)
		}
		names[command] = append(names[command], diag.Printable(file.Path))
	}
	for _, command := range todo {
		about := ""
		if len(todo) > 1 {
			about = "for " + diag.Enumerate(names[command], "and") + ": "
		}
		fmt.Fprintf(o.stdout, "hint: %s%s\n", about, command)
	}
}

// gathered puts programs of one status and cause together under their folder's name.
func gathered(files []fileJSON) []fileJSON {
	var out []fileJSON
	var counts []int // of the files that each of these stands for
	for _, file := range files {
		at := slices.IndexFunc(out, func(f fileJSON) bool {
			return collapsed(f.Path) == collapsed(file.Path) && f.Status == file.Status && f.Cause == file.Cause
		})
		if at < 0 {
			out, counts = append(out, file), append(counts, 1)
			continue
		}
		counts[at]++
		out[at].Path, out[at].stat = output.Programs, plural(counts[at], "file")
		out[at].Diff += file.Diff
	}
	return out
}

// fix names the command that puts a file right; "" for one that is.
func fix(name string, status output.Status) string {
	switch {
	case status == output.Current:
		return ""
	case status == output.Edited && !strings.HasPrefix(name, output.Dir):
		return `run "garnix2gha generate --force" to undo the change: what is built follows garnix.yaml and the settings; or "garnix2gha eject" makes the files your own`
	case status == output.Edited:
		return `run "garnix2gha generate --force" to undo the change, after moving it into the settings or .github/garnix2gha/overlay.libsonnet if it is wanted`
	case status == output.Foreign:
		return `move the file away, or choose another name under "files:" in .github/garnix2gha/config.yaml`
	case status == output.PinsMoved:
		return `"garnix2gha generate" keeps them, and "garnix2gha pins keep" writes those with a version into the settings`
	}
	return `run "garnix2gha generate" and commit the result`
}

// Check: whether the committed files, and the lock, are current.

package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/output"
)

func newCheck(o *options) *cobra.Command {
	var fresh, strict, withDiff bool
	command := &cobra.Command{
		Use:   "check",
		Short: "Tell whether the committed workflows are current",
		Long: `Render the workflows again and compare them with the committed ones, which any formatter may have
formatted. For each file the status is one of: current, pins (a bot moved pins; fine),
stale-inputs (garnix.yaml, settings, lock or overlay changed), stale-generator (this version
renders otherwise; fine unless --strict), edited, missing, orphan, foreign. It needs no nix, no
network and no git.

With --fresh, nix lists the flake as well, and the lock that "garnix2gha snapshot" wrote is
compared with it; --diff shows which outputs appeared and vanished.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.within(func(r *repo.Repo) error { return o.check(cmd.Context(), r, fresh, strict, withDiff) })
		},
	}
	command.Flags().BoolVar(&strict, "strict", false, "fail on files that another version of garnix2gha wrote, too")
	command.Flags().BoolVar(&withDiff, "diff", false, "print the unified diffs")
	command.Flags().BoolVar(&fresh, "fresh", false, "list the flake with nix and compare the lock with it")
	return command
}

// checked is what a check found.
type checked struct {
	files    []fileJSON
	strict   bool
	rendered bool // the inputs are valid, so that there is something to compare
	diags    diag.List
}

func (o *options) check(ctx context.Context, r *repo.Repo, fresh, strict, withDiff bool) error {
	in, err := o.input(r)
	if err != nil {
		return err
	}
	result, err := generator.Generate(in)
	if err != nil {
		return err
	}
	found := checked{rendered: !result.Diags.HasErrors(), strict: strict, diags: result.Diags}
	var changes []output.Change
	if found.rendered {
		files, err := disk(r)
		if err != nil {
			return err
		}
		changes = output.Compare(result.Files, files)
	}
	if fresh {
		lock, diags, err := o.checkLock(ctx, r.Dir(), in)
		if err != nil {
			return err
		}
		if lock != nil {
			// What the committed lock says of the flake's errors is old.
			found.diags = slices.DeleteFunc(found.diags, func(d diag.Diagnostic) bool { return d.Code == "evaluation" })
			changes = append(changes, *lock)
		}
		found.diags = append(found.diags, diags...).Sorted()
	}
	for _, change := range changes {
		file := fileJSON{Path: change.Path, Status: string(change.Status), Cause: change.Cause}
		if change.Status != output.Current {
			text := unified(change.Path, change.Old, change.New)
			file.stat = stat(text)
			if withDiff {
				file.Diff = text
			}
		}
		found.files = append(found.files, file)
	}
	if err := o.printChecked(found); err != nil {
		return err
	}
	if found.diags.HasErrors() || slices.ContainsFunc(found.files, func(f fileJSON) bool { return !output.Status(f.Status).OK(strict) }) {
		return errProblems
	}
	return nil
}

// staleLock is the status of a lock that lists another flake.
const staleLock output.Status = "stale-lock"

// checkLock lists the flake and compares the committed lock with it, as if the two were files with a line for each
// output. Without a lock that can be compared the diagnostics say why.
func (o *options) checkLock(ctx context.Context, dir string, in generator.Input) (*output.Change, diag.List, error) {
	if in.Lock.Content == nil {
		var diags diag.List
		diags.Errorf(posOf(in.Lock.Path), "lock-missing", fix(staleLock), "there is no lock to compare the flake with")
		return nil, diags, nil
	}
	old, diags := flake.DecodeLock(in.Lock.Path, in.Lock.Content)
	if old == nil {
		return nil, diags, nil
	}
	now, err := o.list(ctx, dir, in)
	if err != nil || now.lock == nil {
		return nil, now.diags, err
	}
	change := output.Change{Path: in.Lock.Path, Status: output.Current, Old: inventory(old), New: inventory(now.lock)}
	if !bytes.Equal(change.Old, change.New) {
		change.Status, change.Cause = staleLock, "the flake has changed"
	}
	return &change, now.diags, nil
}

// inventory is what a lock lists, one thing a line. What an error says is left out: it depends on the version of nix.
func inventory(lock *flake.Lock) []byte {
	var lines []byte
	add := func(text string) { lines = fmt.Appendln(lines, diag.Printable(strings.TrimSpace(text))) }
	for _, path := range lock.Paths() {
		add(path.String() + " " + string(lock.Systems[path.String()]))
	}
	for _, part := range lock.ErrorPaths() {
		add(part + " does not evaluate")
	}
	if lock.GarnixConfig != nil {
		add("garnix.config = " + string(lock.GarnixConfig))
	}
	return lines
}

// stat counts the lines that a unified diff adds and removes.
func stat(unified string) string {
	added, removed := 0, 0
	for line := range strings.Lines(unified) {
		switch {
		case strings.HasPrefix(line, "+++ "), strings.HasPrefix(line, "--- "):
		case strings.HasPrefix(line, "+"):
			added++
		case strings.HasPrefix(line, "-"):
			removed++
		}
	}
	return fmt.Sprintf("+%d -%d", added, removed)
}

func (o *options) printChecked(c checked) error {
	switch o.format {
	case "json":
		value := map[string]any{"diagnostics": nonNil(c.diags)}
		if c.rendered {
			value["files"] = nonNil(c.files)
		}
		return o.printJSON(value)
	case "github":
		for _, file := range c.files {
			switch status := output.Status(file.Status); {
			case !status.OK(c.strict):
				c.diags.Errorf(posOf(file.Path), file.Status, fix(status), "%s", file.Cause)
			case status == output.StaleGenerator:
				c.diags.Add(diag.Notice, posOf(file.Path), file.Status, fix(status), "%s", file.Cause)
			}
		}
		return diag.Annotations(o.stdout, c.diags)
	}
	if err := o.printDiagnostics(c.diags); err != nil {
		return err
	}
	o.printFiles(c.files)
	if c.rendered && len(c.files) == 0 {
		fmt.Fprintln(o.stdout, "nothing to check: garnix.yaml selects nothing and no workflow is ours")
	}
	return nil
}

// printFiles prints the status of each file; programs that are alike share a line. What puts files right is said once,
// below the last that it is for.
func (o *options) printFiles(files []fileJSON) {
	files = gathered(files)
	for i, file := range files {
		status, cause := file.Status, file.Cause
		switch {
		case file.stat != "" && cause == "":
			status += " (" + file.stat + ")"
		case file.stat != "":
			cause += " (" + file.stat + ")"
		}
		if cause != "" {
			status += ": " + cause
		}
		fmt.Fprintf(o.stdout, "%s: %s\n", file.Path, status)
		o.printDiff(file.Diff)
		command := fix(output.Status(file.Status))
		later := slices.ContainsFunc(files[i+1:], func(f fileJSON) bool { return fix(output.Status(f.Status)) == command })
		if command != "" && !later {
			fmt.Fprintf(o.stdout, "hint: %s\n", command)
		}
	}
}

// gathered puts programs of one status and cause together under their folder's name.
func gathered(files []fileJSON) []fileJSON {
	type kind struct{ folder, status, cause string }
	alike := map[kind][]fileJSON{}
	var order []kind
	for _, file := range files {
		k := kind{foldered([]string{file.Path})[0], file.Status, file.Cause}
		if alike[k] == nil {
			order = append(order, k)
		}
		alike[k] = append(alike[k], file)
	}
	var out []fileJSON
	for _, k := range order {
		first := alike[k][0]
		for _, file := range alike[k][1:] {
			first.Path, first.stat = output.Programs, plural(len(alike[k]), "file")
			first.Diff += file.Diff
		}
		out = append(out, first)
	}
	return out
}

// fix names the command that puts a file right; "" for one that is.
func fix(status output.Status) string {
	switch status {
	case output.Current:
		return ""
	case output.Edited:
		return `run "garnix2gha generate --force" to undo the change, after moving it into .github/garnix2gha/overlay.libsonnet if it is wanted`
	case output.Foreign:
		return `move the file away, or choose another name under "files:" in .github/garnix2gha/config.yaml`
	case staleLock:
		return `run "garnix2gha snapshot", then "garnix2gha generate", and commit the result`
	case output.PinsMoved:
		return `nothing to do: "garnix2gha generate" keeps them, and "garnix2gha pins keep" writes them into the settings`
	}
	return `run "garnix2gha generate" and commit the result`
}

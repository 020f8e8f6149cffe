package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
)

func newCheck(o *options) *cobra.Command {
	var fresh bool
	command := &cobra.Command{
		Use:   "check",
		Short: "Tell whether the committed workflows are current",
		Long: `Render the workflows again and compare them with the committed ones. For each file the status
is one of: current, pins (a bot moved pins; fine), stale-inputs (garnix.yaml, settings, lock
or overlay changed), stale-generator (this version renders otherwise), edited, missing,
orphan, foreign. It needs no nix, no network and no git.

With --fresh, nix lists the flake as well, and the lock that "garnix2gha snapshot" wrote is
compared with it: which outputs appeared and vanished, and which of the new ones no rule
selects.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return check(cmd.Context(), o, fresh) },
	}
	command.Flags().BoolVar(&fresh, "fresh", false, "list the flake with nix and compare the lock with it")
	return command
}

// checked is what a check found.
type checked struct {
	files    []fileJSON
	rendered bool // the inputs are valid, so that there is something to compare
	lock     *freshJSON
	diags    diag.List
}

func check(ctx context.Context, o *options, fresh bool) error {
	r, dir, err := o.open()
	if err != nil {
		return err
	}
	defer r.Close()
	in, err := o.input(r)
	if err != nil {
		return err
	}
	result, err := generator.Generate(in)
	if err != nil {
		return err
	}
	found := checked{rendered: !result.Diags.HasErrors(), diags: result.Diags}
	if found.rendered {
		disk, err := r.Workflows(output.Dir)
		if err != nil {
			return err
		}
		for _, change := range output.Compare(result.Files, disk) {
			file := fileJSON{Path: change.Path, Status: string(change.Status), Cause: change.Cause}
			if !change.Status.OK() {
				file.Diff = unified(change)
			}
			found.files = append(found.files, file)
		}
	}
	if fresh {
		lock, diags, err := o.checkLock(ctx, dir, in)
		if err != nil {
			return err
		}
		if lock != nil {
			// What the committed lock says of the flake's errors is old.
			found.diags = slices.DeleteFunc(found.diags, func(d diag.Diagnostic) bool { return d.Code == "evaluation" })
		}
		found.lock, found.diags = lock, append(found.diags, diags...).Sorted()
	}
	if err := o.printChecked(found); err != nil {
		return err
	}
	if found.stale() {
		return errProblems
	}
	return nil
}

func (c checked) stale() bool {
	return c.diags.HasErrors() || c.lock != nil && c.lock.Status != lockCurrent ||
		slices.ContainsFunc(c.files, func(f fileJSON) bool { return !output.Status(f.Status).OK() })
}

func (o *options) printChecked(c checked) error {
	switch o.format {
	case "json":
		value := map[string]any{"diagnostics": nonNil(c.diags)}
		if c.rendered {
			value["files"] = nonNil(c.files)
		}
		if c.lock != nil {
			value["lock"] = c.lock
		}
		return o.printJSON(value)
	case "github":
		for _, file := range c.files {
			if status := output.Status(file.Status); !status.OK() {
				c.diags.Errorf(posOf(file.Path), file.Status, mend(status), "%s", file.Cause)
			}
		}
		if c.lock != nil && c.lock.Status != lockCurrent {
			c.lock.diagnostic(&c.diags)
		}
		return diag.Annotations(o.stdout, c.diags)
	}
	if err := o.printDiagnostics(c.diags); err != nil {
		return err
	}
	for _, file := range c.files {
		o.printStatus(file.Path, file.Status, file.Cause)
		fmt.Fprint(o.stdout, file.Diff)
		if status := output.Status(file.Status); !status.OK() || status == output.PinsMoved {
			fmt.Fprintf(o.stdout, "hint: %s\n", mend(status))
		}
	}
	if c.lock != nil {
		o.printStatus(c.lock.Path, c.lock.Status, c.lock.Cause)
		for _, line := range c.lock.lines() {
			fmt.Fprintln(o.stdout, line)
		}
		if c.lock.Status != lockCurrent {
			fmt.Fprintf(o.stdout, "hint: %s\n", mendLock)
		}
	}
	if c.rendered && len(c.files) == 0 {
		fmt.Fprintln(o.stdout, "nothing to check: garnix.yaml selects nothing and no workflow is ours")
	}
	return nil
}

func (o *options) printStatus(path, status, cause string) {
	fmt.Fprintf(o.stdout, "%s: %s", path, status)
	if cause != "" {
		fmt.Fprintf(o.stdout, ": %s", cause)
	}
	fmt.Fprintln(o.stdout)
}

// mend names the command that puts a file right.
func mend(status output.Status) string {
	switch status {
	case output.Edited:
		return `run "garnix2gha generate" to undo the change, or move it into .github/garnix2gha/overlay.libsonnet first`
	case output.Foreign:
		return `move the file away or choose another name under "files:" in .github/garnix2gha/config.yaml`
	case output.PinsMoved:
		return `run "garnix2gha pins absorb" so that the next "garnix2gha generate" keeps them`
	}
	return `run "garnix2gha generate" and commit the result`
}

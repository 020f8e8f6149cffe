// Snapshot: the flake as nix lists it, written down as the lock.

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/nix"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/output"
	"garnix2gha/generator/target"
)

func newSnapshot(o *options) *cobra.Command {
	var onlyPrint bool
	command := o.command("snapshot", func(ctx context.Context, r *repo.Repo) error { return o.takeSnapshot(ctx, r, onlyPrint) })
	command.Flags().BoolVar(&onlyPrint, "print", false, "print the lock and write nothing")
	return command
}

func (o *options) takeSnapshot(ctx context.Context, r *repo.Repo, onlyPrint bool) error {
	in, err := o.input(r)
	if err != nil {
		return err
	}
	show, done := o.progress("listing the flake")
	fresh, err := o.list(ctx, r.Dir(), in, show)
	done()
	switch {
	case err != nil:
		return err
	case fresh.lock == nil:
		return o.sound(fresh.diags)
	case onlyPrint:
		if _, err := o.stdout.Write(fresh.encoded); err != nil {
			return err
		}
		return cmp.Or(o.printText(fresh.diags), failing(fresh.diags.HasErrors()))
	}
	change := output.Change{Path: repo.LockFile, Old: in.Lock.Content, New: fresh.encoded}
	if err := r.Apply(pending(change)); err != nil {
		return err
	}
	return cmp.Or(o.printSnapshot(fresh, action(change)), failing(fresh.diags.HasErrors()))
}

func (o *options) printSnapshot(fresh listing, action string) error {
	outputs := len(fresh.lock.Paths())
	if o.format == "json" {
		return o.printJSON(map[string]any{
			"file": repo.LockFile, "action": action, "outputs": outputs, "selected": len(fresh.selected), "diagnostics": nonNil(fresh.diags),
		})
	}
	if err := o.printDiagnostics(fresh.diags); err != nil {
		return err
	}
	fmt.Fprintf(o.stdout, "%-9s %s: %s, %d selected\n", action, repo.LockFile, plural(outputs, "output"), len(fresh.selected))
	if action != "unchanged" {
		fmt.Fprintln(o.stderr, `next: run "garnix2gha generate" and commit the result`)
	}
	return nil
}

// listing is the flake as nix lists it now. Without a lock the configuration is invalid, and diags says how.
type listing struct {
	lock     *flake.Lock
	encoded  []byte
	selected []target.Target // for every branch together
	diags    diag.List       // what made garnix fail the commit, and what is surprising about the listing
}

// list lists the flake of the repository at dir; progress is told what goes on and may be nil.
func (o *options) list(ctx context.Context, dir string, in generator.Input, progress func(string)) (listing, error) {
	var read generator.Model
	decide := func(lock *flake.Lock) *config.Config {
		in.Lock.Content, _ = lock.Encode() // whose failure is seen below
		if read = generator.Read(in); read.Diags.HasErrors() {
			return nil
		}
		return read.Config
	}
	taken, err := nix.New(progress).Snapshot(ctx, dir, decide)
	switch {
	case errors.Is(err, nix.ErrFlakeDir):
		read.Diags.Errorf(read.Config.FlakeDirPos, "flake-dir-outside", "name a directory relative to the repository root", "%s", err)
		return listing{diags: read.Diags}, nil
	case err != nil:
		return listing{}, err
	case taken.Config == nil:
		return listing{diags: read.Diags}, nil
	}
	selection, found := target.Select(taken.Config, taken.Lock, target.Commit{All: true})
	if _, ok := taken.Config.FlakePath(); !ok {
		return listing{diags: found}, nil
	}
	fresh := listing{lock: taken.Lock, selected: selection.Targets}
	for _, d := range slices.Concat(read.Diags, found) {
		if d.Severity == diag.Error || d.Code == "flake-config-ignored" {
			fresh.diags = append(fresh.diags, d)
		}
	}
	for _, a := range taken.Searched {
		fresh.diags.Warnf(posOf("flake.nix"), "legacy-search", "rename one of them if the other is meant",
			"%s is listed from %s.%s, where garnix's nix looked first; a %s at the top of the flake is hidden by it",
			a.Query, a.From, a.Query, a.Query)
	}
	if taken.WroteLock {
		lockWritten(&fresh.diags)
	}
	fresh.diags = fresh.diags.Sorted()
	encoded, err := taken.Lock.Encode()
	if err != nil {
		return listing{}, err
	}
	fresh.encoded, err = output.JSON(json.RawMessage(encoded)) // as prettier would have it
	return fresh, err
}

func lockWritten(l *diag.List) {
	l.Add(diag.Notice, posOf("flake.lock"), "flake-lock-written", "commit it", "nix wrote flake.lock, as every nix command in this flake does")
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/bincache"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
	"garnix2gha/generator/target"
)

// retireFlags are the flags of retire.
type retireFlags struct {
	yes, dryRun, move bool
	netrc             string
}

func newRetire(o *options) *cobra.Command {
	var f retireFlags
	command := &cobra.Command{
		Use:   "retire",
		Short: "Remove what is left of garnix, once the new cache is proven",
		Long: `Fix what "garnix2gha leftovers --fix" fixes. garnix.yaml stays, because it is the list of
targets; with --move-config it moves to ` + repo.MovedConfigFile + `, where garnix2gha
reads it as well, and the workflows are rendered again.

It refuses unless every tracked file is as in the last commit, the committed workflows are
current ("garnix2gha check"), and the cache holds every output of every target of this commit
("garnix2gha cache verify"); what could not be established counts as not held.

It lists what it is about to do and asks, or goes ahead with --yes. At the end it prints how
to go back.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(o); err != nil {
				return err
			}
			return retire(cmd.Context(), o, f)
		},
	}
	flags := command.Flags()
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print the unified diff and write nothing")
	flags.BoolVar(&f.move, "move-config", false, "move garnix.yaml to "+repo.MovedConfigFile)
	flags.StringVar(&f.netrc, "netrc", "", "file with the credentials of private caches, as nix's netrc-file")
	return command
}

func (f retireFlags) check(o *options) error {
	switch {
	case o.config != "":
		return usagef("--config names a file elsewhere; only what the repository holds can be retired")
	case !f.yes && !f.dryRun && !o.answerable():
		return usagef("there is no terminal to ask on: pass --yes, or --dry-run to see what it would do")
	}
	return nil
}

// answerable reports whether there is somebody to ask.
func (o *options) answerable() bool {
	file, ok := o.stdin.(*os.File)
	return ok && o.terminal(file)
}

func retire(ctx context.Context, o *options, f retireFlags) error {
	r, _, err := o.open()
	if err != nil {
		return err
	}
	defer r.Close()
	s, err := o.survey(ctx, r)
	if err != nil {
		return err
	}
	s.keepConfig, s.moveConfig = !f.move, f.move
	plan := retirement{options: o, survey: s}
	if err := plan.prepare(ctx, f.move); err != nil {
		return err
	}
	if len(plan.refused) > 0 {
		return plan.refuse()
	}
	if err := plan.prove(ctx, f.netrc); err != nil {
		return err
	}
	if len(plan.refused) > 0 {
		return plan.refuse()
	}
	if !f.dryRun {
		if err := plan.agree(ctx, f.yes); err != nil {
			return err
		}
		if err := plan.carryOut(); err != nil {
			return err
		}
	}
	return plan.print(f.dryRun)
}

// committed refuses what would leave no way back: tracked files that differ from the last commit, and inputs and
// workflows that git does not know.
func (p *retirement) committed(ctx context.Context) error {
	var err error
	if p.head, err = p.survey.tree.Head(ctx); err != nil {
		return err
	}
	changed, err := p.survey.tree.Changed(ctx)
	if err != nil {
		return err
	}
	changed = foldered(changed)
	const hint, most = "commit or stash it first, so that there is a way back", 20
	for i, name := range changed {
		if i == most {
			p.refused.Errorf(diag.Pos{}, "uncommitted", hint, "%s more differ from the last commit", plural(len(changed)-most, "file"))
			break
		}
		p.refused.Errorf(posOf(diag.Printable(name)), "uncommitted", hint, "it differs from the last commit")
	}
	tracked, err := p.survey.tree.Tracked(ctx)
	if err != nil {
		return err
	}
	names := []string{repo.ConfigFile, repo.MovedConfigFile, repo.SettingsFile, repo.LockFile, repo.OverlayFile}
	for _, change := range p.changes {
		names = append(names, change.Path)
	}
	var unknown []string
	for _, name := range names {
		content, err := p.survey.repo.Read(name)
		if err != nil {
			return err
		}
		if content != nil && !slices.Contains(tracked, name) {
			unknown = append(unknown, name)
		}
	}
	for _, name := range foldered(unknown) {
		p.refused.Errorf(posOf(name), "untracked", "add it to git and commit it first", "git does not know it")
	}
	return nil
}

// foldered names the folder of the programs once in the place of what lies in it.
func foldered(names []string) []string {
	var out []string
	for _, name := range names {
		if strings.HasPrefix(name, output.Programs+"/") {
			name = output.Programs
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// current refuses workflows that are not what would be generated now.
func (p *retirement) current() error {
	var err error
	if p.before, p.changes, err = p.compare(p.survey.repo); err != nil {
		return err
	}
	for _, change := range p.changes {
		if !change.Status.OK(true) {
			p.refused.Errorf(posOf(change.Path), string(change.Status), fix(change.Status), "%s", change.Cause)
		}
	}
	return nil
}

// cached refuses where no cache is known that could hold anything.
func (p *retirement) cached() error {
	s := p.survey.settings
	name, err := p.cacheName(s, "")
	if err == nil && name == "" && s.Cache.URL == "" {
		p.refused.Errorf(s.At("cache"), "no-cache", "name it under cache: in the settings, or in "+nameVariable, "no cache is known that could hold what garnix built")
	}
	return err
}

// prove refuses while the cache does not hold every output of every target.
func (p *retirement) prove(ctx context.Context, netrc string) error {
	v := &verifier{service: &service{options: p.options}, at: target.Commit{All: true}, listing: listAuto, netrc: netrc}
	found, err := v.verify(ctx)
	if err != nil {
		return err
	}
	if found.verdict() == nil {
		if found.Summary == (verifiedSummary{}) {
			fmt.Fprintln(p.stderr, "no target is selected, so there was nothing to prove")
		}
		return p.printWarnings(found.Warnings)
	}
	p.refused = append(p.refused, unproven(found.rows())...)
	return nil
}

// unproven are the rows that keep a cache from being proven, each as a reason.
func unproven(rows []verdictRow) diag.List {
	const most = 50
	var list diag.List
	for _, row := range rows {
		switch {
		case row.verdict != bincache.Missing && row.verdict != bincache.Unknown:
			continue
		case len(list) == most:
			list.Errorf(diag.Pos{}, "cache-incomplete", `"garnix2gha cache verify" lists them all`, "more outputs are missing or unknown")
			return list
		}
		what := strings.TrimSpace(strings.Join([]string{row.attr, row.output, row.path}, " "))
		list.Errorf(row.pos, "cache-"+string(row.verdict), diag.Printable(row.next), "%s is %s: %s", diag.Printable(what), row.verdict, diag.Printable(row.cause))
	}
	return list
}

// refuse says why nothing is done.
func (p *retirement) refuse() error {
	if p.format == "json" {
		if err := p.printJSON(map[string]any{"commit": p.head, "refused": p.refused, "files": []editJSON{}}); err != nil {
			return err
		}
		return errProblems
	}
	if err := p.printDiagnostics(p.refused); err != nil {
		return err
	}
	fmt.Fprintf(p.stderr, "refused for %s; nothing was changed\n", plural(len(p.refused), "reason"))
	return errProblems
}

// agree lists what is about to be done and asks; a no has been answered when it returns errProblems.
func (p *retirement) agree(ctx context.Context, yes bool) error {
	files := p.files(false)
	if yes || len(files) == 0 {
		return nil
	}
	fmt.Fprintln(p.stderr, "This will be done:")
	for _, file := range files {
		fmt.Fprintf(p.stderr, "  %-9s %s\n", file.Action, diag.Printable(file.Path))
	}
	fmt.Fprint(p.stderr, "Go ahead? [y/N] ")
	answer, err := p.line(ctx)
	if err != nil {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer == "y" || answer == "yes" {
		return nil
	}
	fmt.Fprintln(p.stderr, "nothing was changed")
	return errProblems
}

// line reads a line of the standard input, unless the program is told to stop first.
func (o *options) line(ctx context.Context) (string, error) {
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		text, err := bufio.NewReader(io.LimitReader(o.stdin, 100)).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		got <- answer{text: text, err: err}
	}()
	select {
	case a := <-got:
		if a.err != nil {
			return "", fmt.Errorf("read answer: %w", a.err)
		}
		return a.text, nil
	case <-ctx.Done():
		return "", fmt.Errorf("wait for an answer: %w", context.Cause(ctx))
	}
}

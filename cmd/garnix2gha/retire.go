// Retire: the last step, which removes what is left of garnix once the new cache is proven.

package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/leftovers"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
	"garnix2gha/generator/target"
)

func newRetire(o *options) *cobra.Command {
	p := &retirement{survey: survey{options: o, fix: true}}
	command := &cobra.Command{
		Use: "retire",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.config != "" {
				return usagef("--config names a file elsewhere; only what the repository holds can be retired")
			}
			p.keepConfig = !p.moveConfig
			return p.of(func() error { return p.retire(cmd.Context()) })
		},
	}
	flags := command.Flags()
	flags.BoolVar(&p.dryRun, "dry-run", false, "print the unified diff and write nothing")
	flags.BoolVar(&p.moveConfig, "move-config", false, "move garnix.yaml to "+repo.MovedConfigFile)
	netrcFlag(command, &p.netrc)
	return command
}

// retirement is what retire found and is about to do.
type retirement struct {
	survey // left is what is for a person
	netrc  string

	head    string // the commit that is the way back
	refused diag.List
	inRoot  bool // garnix.yaml is there
}

func (p *retirement) retire(ctx context.Context) error {
	// What follows a refusal would speak of another state.
	for _, step := range []func(context.Context) error{p.settled, p.decided, p.proven} {
		if err := step(ctx); err != nil {
			return err
		}
		if len(p.refused) > 0 {
			return p.refuse()
		}
	}
	if !p.dryRun {
		if err := p.repo.Apply(p.edits); err != nil {
			return err
		}
	}
	return p.print()
}

// settled refuses workflows that are not what would be generated now, what would leave no way back (tracked files that
// differ from the last commit, inputs and workflows that git does not know), and a cache that nobody knows.
func (p *retirement) settled(ctx context.Context) error {
	result, onDisk, err := p.rendered(p.repo)
	if err != nil {
		return err
	}
	p.inRoot = result.Config.File == repo.ConfigFile
	known := []string{repo.ConfigFile, repo.MovedConfigFile, repo.SettingsFile, repo.LockFile, repo.OverlayFile}
	for _, change := range p.compare(result.Files, onDisk) {
		known = append(known, change.Path)
		if !change.Status.OK(true) {
			p.refused.Errorf(posOf(collapsed(change.Path)), string(change.Status), fix(change.Path, change.Status), "%s", change.Cause)
		}
	}
	p.refused = slices.Compact(p.refused) // programs are alike
	if p.head, err = p.tree.Head(ctx); err != nil {
		return err
	}
	changed, err := p.tree.Changed(ctx)
	if err != nil {
		return err
	}
	unknown, err := p.tree.Untracked(ctx, known)
	if err != nil {
		return err
	}
	changed = foldered(changed)
	const hint, most = "commit or stash it first, so that there is a way back", 20
	for _, name := range changed[:min(most, len(changed))] {
		p.refused.Errorf(posOf(diag.Printable(name)), "uncommitted", hint, "it differs from the last commit")
	}
	if more := len(changed) - most; more > 0 {
		p.refused.Errorf(diag.Pos{}, "uncommitted", hint, "%s more differ from the last commit", plural(more, "file"))
	}
	for _, name := range foldered(unknown) {
		p.refused.Errorf(posOf(name), "untracked", "add it to git and commit it first", "git does not know it")
	}
	name, err := p.cacheName(p.settings, "")
	if err == nil && name == "" && p.settings.Cache.URL == "" {
		p.refused.Errorf(p.settings.At("cache"), "no-cache", "garnix2gha init --cache NAME, or its name in "+nameVariable, "no cache is known that could hold what garnix built")
	}
	return err
}

// foldered names the folder of the programs once in the place of what lies in it.
func foldered(names []string) []string {
	var out []string
	for _, name := range names {
		if name = collapsed(name); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// decided finds the edits and, if garnix.yaml is to leave the root, renders the workflows from the inputs as they will be.
func (p *retirement) decided(ctx context.Context) error {
	if err := p.prepare(ctx); err != nil {
		return err
	}
	p.left = slices.DeleteFunc(p.left, func(t leftovers.Trace) bool { return !t.ByHand() })
	if !p.moveConfig {
		return nil
	}
	in, err := p.input(p.repo)
	if err != nil {
		return err
	}
	switch {
	case in.Hidden != "":
		p.refused.Errorf(posOf(in.Hidden), "config-hidden", "remove one of the two first", "there is a garnix.yaml already where the one in the root would go")
		return nil
	case in.Config.Path == repo.ConfigFile && in.Config.Content != nil:
		in.Config.Path, p.inRoot = repo.MovedConfigFile, false
		p.edits = append(p.edits,
			output.Change{Path: repo.MovedConfigFile, New: in.Config.Content}, output.Change{Path: repo.ConfigFile, Old: in.Config.Content})
	}
	after, err := generator.Generate(in)
	if err != nil {
		return err
	}
	if after.Diags.HasErrors() {
		p.refused = append(p.refused, slices.DeleteFunc(after.Diags, func(d diag.Diagnostic) bool { return d.Severity != diag.Error })...)
		return nil
	}
	files, err := disk(p.repo)
	p.edits = append(p.edits, pending(p.compare(after.Files, files)...)...)
	return err
}

// proven refuses while the cache does not hold every output of every target.
func (p *retirement) proven(ctx context.Context) error {
	v := &verifier{options: p.options, at: target.Commit{All: true}, netrc: p.netrc}
	if err := v.verify(ctx); err != nil {
		return err
	}
	if v.verdict() != nil {
		p.refused = append(p.refused, v.findings()...)
		return nil
	}
	if v.Summary == (verifiedSummary{}) {
		fmt.Fprintln(p.stderr, "no target is selected, so there was nothing to prove")
	}
	return p.printWarnings(v.Warnings)
}

// refuse says why nothing is done.
func (p *retirement) refuse() error {
	if p.format == "json" {
		p.edits, p.left = nil, nil
		return cmp.Or(p.print(), errProblems)
	}
	if err := p.printDiagnostics(p.refused); err != nil {
		return err
	}
	fmt.Fprintf(p.stderr, "refused for %s; nothing was changed\n", plural(len(p.refused), "reason"))
	return errProblems
}

// wayBack are the commands that undo everything, while nothing else was changed: everything was as in the commit.
func (p *retirement) wayBack(files []fileJSON) []string {
	if len(files) == 0 {
		return []string{}
	}
	commands := []string{"git -C " + diag.ShellWord(p.repo.Dir()) + " checkout " + p.head + " -- ."}
	for _, file := range files {
		if file.Action == "created" { // below .github, so that its name is ours
			commands = append(commands, "rm -f -- "+diag.ShellWord(filepath.Join(p.repo.Dir(), filepath.FromSlash(file.Path))))
		}
	}
	return commands
}

// print tells what was done, what is left, and how to go back. Of a dry run it is the diff alone.
func (p *retirement) print() error {
	files := filesOf(p.edits, p.dryRun)
	switch p.format {
	case "json":
		return p.printJSON(map[string]any{
			"commit": p.head, "refused": nonNil(p.refused), "files": files, "left": nonNil(p.left), "wayBack": p.wayBack(files),
		})
	case "github":
		if err := diag.Annotations(p.stdout, findings(p.left)); err != nil {
			return err
		}
	}
	for _, file := range files {
		p.printFile(file, p.dryRun)
	}
	for _, t := range p.left {
		fmt.Fprintln(p.stderr, "by hand   "+spoken(t))
	}
	switch {
	case p.dryRun:
		return nil
	case len(files) == 0:
		fmt.Fprintln(p.stdout, "there is nothing to change")
	default:
		fmt.Fprintln(p.stdout, "\nTo go back before anything else is changed:")
		for _, command := range p.wayBack(files) {
			fmt.Fprintf(p.stdout, "  %s\n", command)
		}
		fmt.Fprintln(p.stdout, "and afterwards: git revert, with that commit.")
	}
	if p.inRoot {
		fmt.Fprintln(p.stderr, `hint: "garnix2gha retire --move-config" takes garnix.yaml out of the root`)
	}
	fmt.Fprintln(p.stderr, requiredCheckHint)
	return nil
}

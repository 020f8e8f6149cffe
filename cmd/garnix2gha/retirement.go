package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"garnix2gha/cmd/internal/leftovers"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
)

// retirement is what retire found and is about to do.
type retirement struct {
	*options
	survey  *survey
	head    string // the commit that is the way back
	refused diag.List
	before  generator.Result
	changes []output.Change // the workflows as they are

	edits    []leftovers.Edit
	renewed  []output.Change   // the workflows, and garnix.yaml in its new place
	obsolete []output.Change   // garnix.yaml, if it goes
	left     []leftovers.Trace // for a person
}

// prepare decides everything and writes nothing.
func (p *retirement) prepare(ctx context.Context, move bool) error {
	if err := p.current(); err != nil {
		return err
	}
	if err := p.committed(ctx); err != nil {
		return err
	}
	if err := p.cached(); err != nil {
		return err
	}
	if len(p.refused) > 0 {
		return nil // what follows would speak of another state
	}
	var found cleanup
	if err := p.prepareFix(ctx, p.survey, replacementFlags{}, &found); err != nil {
		return err
	}
	p.edits, p.left = found.edits, slices.DeleteFunc(found.left, func(t leftovers.Trace) bool { return !t.ByHand() })
	if !move {
		return nil
	}
	in, err := p.input(p.survey.repo)
	if err != nil {
		return err
	}
	if p.moveConfig(&in); len(p.refused) > 0 {
		return nil
	}
	return p.renew(in)
}

// moveConfig takes garnix.yaml out of the root.
func (p *retirement) moveConfig(in *generator.Input) {
	switch {
	case in.Hidden != "":
		p.refused.Errorf(posOf(in.Hidden), "config-hidden", "remove one of the two first", "there is a garnix.yaml already where the one in the root would go")
	case in.Config.Path == repo.ConfigFile && in.Config.Content != nil:
		p.obsolete = []output.Change{{Path: repo.ConfigFile, Status: output.Orphan, Old: in.Config.Content}}
		in.Config.Path = repo.MovedConfigFile
		p.renewed = []output.Change{{Path: in.Config.Path, Status: output.Missing, New: in.Config.Content}}
	}
}

// renew renders the workflows from the inputs as they will be.
func (p *retirement) renew(in generator.Input) error {
	after, err := generator.Generate(in)
	if err != nil {
		return err
	}
	if after.Diags.HasErrors() {
		p.refused = append(p.refused, slices.DeleteFunc(after.Diags, func(d diag.Diagnostic) bool { return d.Severity != diag.Error })...)
		return nil
	}
	files, err := disk(p.survey.repo)
	if err != nil {
		return err
	}
	for _, change := range output.Compare(after.Files, files) {
		if _, edit := act(change); edit != nil {
			p.renewed = append(p.renewed, change)
		}
	}
	return nil
}

// carryOut writes. garnix.yaml goes last: wherever the program is killed, a configuration is there.
func (p *retirement) carryOut() error {
	r := p.survey.repo
	if err := r.Mend(asMends(p.edits)); err != nil {
		return err
	}
	var edits []repo.Edit
	for _, change := range p.renewed {
		_, edit := act(change)
		edits = append(edits, *edit)
	}
	if err := r.Apply(edits); err != nil {
		return err
	}
	var mends []repo.Mend
	for _, change := range p.obsolete {
		mends = append(mends, repo.Mend{Path: change.Path, Old: change.Old})
	}
	return r.Mend(mends)
}

// files are what retire changes, in the order in which it does.
func (p *retirement) files(withDiff bool) []editJSON {
	files := []editJSON{}
	for _, edit := range p.edits {
		files = append(files, edited(edit, withDiff))
	}
	for _, change := range slices.Concat(p.renewed, p.obsolete) {
		action, _ := act(change)
		file := editJSON{Path: change.Path, Action: action}
		if withDiff {
			file.Diff = unified(change)
		}
		files = append(files, file)
	}
	return files
}

// wayBack are the commands that undo everything before it is committed.
func (p *retirement) wayBack() []string {
	const most = 50
	var restored, created []string
	printable := true
	for _, file := range p.files(false) {
		// A leading colon has a meaning of its own for git.
		printable = printable && diag.Printable(file.Path) == file.Path && !strings.HasPrefix(file.Path, ":")
		if file.Action == "created" {
			created = append(created, diag.ShellWord(filepath.Join(p.survey.repo.Dir(), filepath.FromSlash(file.Path))))
			continue
		}
		restored = append(restored, diag.ShellWord(file.Path))
	}
	if !printable || len(restored) > most {
		restored = []string{"."} // everything was as in the commit
	}
	var commands []string
	if len(restored) > 0 {
		commands = append(commands, "git -C "+diag.ShellWord(p.survey.repo.Dir())+" checkout "+p.head+" -- "+strings.Join(restored, " "))
	}
	if len(created) > 0 {
		commands = append(commands, "rm -f -- "+strings.Join(created, " "))
	}
	return commands
}

// print tells what was done, what is left, and how to go back. Of a dry run it is the diff alone.
func (p *retirement) print(dryRun bool) error {
	files := p.files(dryRun)
	switch p.format {
	case "json":
		return p.printJSON(map[string]any{
			"commit": p.head, "refused": diag.List{}, "files": files, "left": nonNil(p.left), "wayBack": nonNil(p.wayBack()),
		})
	case "github":
		if err := diag.Annotations(p.stdout, findings(p.left)); err != nil {
			return err
		}
	}
	for _, file := range files {
		p.printEdit(file, dryRun)
	}
	for _, t := range p.left {
		fmt.Fprintln(p.stderr, "by hand   "+spoken(t))
	}
	switch {
	case dryRun:
		return nil
	case len(files) == 0:
		fmt.Fprintln(p.stdout, "there is nothing to change")
	default:
		fmt.Fprintln(p.stdout, "\nTo go back before it is committed:")
		for _, command := range p.wayBack() {
			fmt.Fprintf(p.stdout, "  %s\n", command)
		}
		fmt.Fprintln(p.stdout, "and afterwards: git revert, with that commit.")
	}
	if p.before.Config.File == repo.ConfigFile && len(p.obsolete) == 0 {
		fmt.Fprintln(p.stderr, `hint: "garnix2gha retire --move-config" takes garnix.yaml out of the root`)
	}
	fmt.Fprintln(p.stderr, requiredCheckHint)
	return nil
}

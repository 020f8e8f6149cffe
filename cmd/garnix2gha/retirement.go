package main

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"garnix2gha/cmd/internal/leftovers"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
	"garnix2gha/generator/plan"
	"garnix2gha/generator/settings"
	"garnix2gha/generator/target"
)

// retirement is what retire found and is about to do.
type retirement struct {
	*options
	survey  survey
	head    string // the commit that is the way back
	refused diag.List
	before  generator.Result
	changes []output.Change // the workflows as they are

	edits    []leftovers.Edit
	renewed  []output.Change   // the workflows, and the settings with garnix.yaml in them
	obsolete []output.Change   // garnix.yaml, if it goes
	left     []leftovers.Trace // for a person
}

// prepare decides everything and writes nothing.
func (p *retirement) prepare(ctx context.Context, inline bool) error {
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
	if err := p.mendLeftovers(ctx, inline); err != nil {
		return err
	}
	in, err := p.input(p.survey.repo)
	if err != nil {
		return err
	}
	for _, edit := range p.edits {
		if edit.Path == repo.ConfigFile {
			in.Config.Content = edit.New
		}
	}
	if inline {
		if err := p.inlineConfig(&in); err != nil || len(p.refused) > 0 {
			return err
		}
	}
	return p.renew(in)
}

// mendLeftovers computes what "leftovers --fix" does.
func (p *retirement) mendLeftovers(ctx context.Context, inline bool) error {
	traces, err := p.survey.traces(ctx)
	if err != nil {
		return err
	}
	with, err := p.replacement(ctx, p.survey.settings, traces, replacementFlags{})
	if err != nil {
		return err
	}
	if p.edits, err = leftovers.Fix(p.survey.repo.FS(), traces, with); err != nil {
		return err
	}
	p.left = slices.DeleteFunc(traces, func(t leftovers.Trace) bool {
		return !t.ByHand() || inline && t.File == repo.ConfigFile
	})
	return nil
}

// inlineConfig moves garnix.yaml into the settings. Where it decides nothing it only goes.
func (p *retirement) inlineConfig(in *generator.Input) error {
	content, err := p.survey.repo.Read(repo.ConfigFile)
	if err != nil || content == nil {
		return err
	}
	switch {
	case p.before.Config.Origin == config.FromFlake:
		p.refused.Errorf(posOf("flake.nix"), "inline-config", "retire with --keep-config",
			"the flake's output garnix.config is the configuration; it cannot be moved, and %s decides nothing", repo.ConfigFile)
		return nil
	case p.before.Settings.Inline == nil:
		fresh, err := settings.WithInline(in.Settings.Content, in.Config.Content)
		if err != nil {
			p.refused.Errorf(posOf(repo.ConfigFile), "inline-config", "retire with --keep-config", "%s", err)
			return nil
		}
		moved := output.Change{Path: repo.SettingsFile, Status: output.StaleInputs, Old: in.Settings.Content, New: fresh}
		if moved.Old == nil {
			moved.Status = output.Missing
		}
		p.renewed = append(p.renewed, moved)
		in.Settings.Content = fresh
	}
	p.obsolete = []output.Change{{Path: repo.ConfigFile, Status: output.Orphan, Old: content}}
	p.edits = slices.DeleteFunc(p.edits, func(e leftovers.Edit) bool { return e.Path == repo.ConfigFile })
	in.Config.Content = nil
	return nil
}

// renew renders the workflows from the new inputs. They must do what the old ones did.
func (p *retirement) renew(in generator.Input) error {
	after, err := generator.Generate(in)
	if err != nil {
		return err
	}
	if after.Diags.HasErrors() || !sameWork(p.before.Model, after.Model) {
		p.refused = append(p.refused, slices.DeleteFunc(after.Diags, func(d diag.Diagnostic) bool { return d.Severity != diag.Error })...)
		p.refused.Errorf(posOf(repo.ConfigFile), "inline-config", "retire with --keep-config",
			"moved into the settings it would select something else")
		return nil
	}
	disk, err := p.survey.repo.Workflows(output.Dir)
	if err != nil {
		return err
	}
	for _, change := range output.Compare(after.Files, disk) {
		if _, edit := act(change); edit == nil {
			continue
		}
		for _, was := range p.changes {
			if was.Path == change.Path && was.Status == output.PinsMoved {
				p.refused.Errorf(posOf(change.Path), "pins", `run "garnix2gha pins absorb", then "garnix2gha generate", and commit the result`,
					"it has to be rendered again, which would take back its pins")
			}
		}
		p.renewed = append(p.renewed, change)
	}
	return nil
}

// sameWork reports whether two models build, run and verify the same; where a matcher stands and which file is
// watched for changes may differ.
func sameWork(a, b generator.Model) bool {
	return reflect.DeepEqual(placeless(a.Selection), placeless(b.Selection)) && reflect.DeepEqual(unwatched(*a.Plan), unwatched(*b.Plan))
}

func placeless(s target.Selection) target.Selection {
	s.Targets = slices.Clone(s.Targets)
	for i := range s.Targets {
		s.Targets[i].Matcher.Pos = diag.Pos{}
	}
	s.Open = nil // the plan holds the rules themselves
	return s
}

func unwatched(p plan.Plan) plan.Plan {
	if p.Build != nil {
		build := *p.Build
		build.ConfigFile, build.ConfigDigest = "", ""
		p.Build = &build
	}
	return p
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
func (p *retirement) print(ctx context.Context, dryRun bool) error {
	checks, err := p.survey.requiredChecks(ctx)
	if err != nil {
		return err
	}
	files := p.files(dryRun)
	switch p.format {
	case "json":
		return p.printJSON(map[string]any{
			"commit": p.head, "refused": diag.List{}, "files": files, "left": nonNil(p.left), "wayBack": nonNil(p.wayBack()), "requiredChecks": checks,
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
		fmt.Fprintf(p.stderr, "by hand   %s: %s: %s\n", place(t.Pos), t.Kind, diag.Printable(t.Mend))
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
	if p.before.Plan.Build != nil {
		fmt.Fprintf(p.stdout, "\nTo move the required checks, run what applies of this:\n\n%s", checks)
	}
	return nil
}

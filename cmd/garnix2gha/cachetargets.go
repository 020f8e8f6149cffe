package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"garnix2gha/cmd/internal/bincache"
	"garnix2gha/cmd/internal/nix"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/settings"
	"garnix2gha/generator/target"
)

// selected decides which targets are verified. What is wrong with the configuration has been printed when it returns
// errProblems.
func (v *verifier) selected(ctx context.Context, r *repo.Repo, found *verification) (generator.Model, error) {
	in, err := v.input(r)
	if err != nil {
		return generator.Model{}, err
	}
	model := decideAt(in, v.at)
	if v.listing == listNix || v.listing == listAuto && !model.Diags.HasErrors() && model.Strategy == settings.Dynamic {
		fresh, err := v.list(ctx, r.Dir(), in)
		if err != nil {
			return model, err
		}
		if fresh.lock == nil {
			model.Diags = fresh.diags
		} else {
			in.Lock.Content = fresh.encoded
			model = decideAt(in, v.at)
			found.Warnings = append(found.Warnings, slices.DeleteFunc(fresh.diags, func(d diag.Diagnostic) bool { return d.Severity == diag.Error })...)
		}
	}
	if !model.Diags.HasErrors() {
		return model, nil
	}
	if err := v.printDiagnostics(model.Diags); err != nil {
		return model, err
	}
	return model, errProblems
}

// evaluate asks nix for the outputs of the selected targets.
func (v *verifier) evaluate(ctx context.Context, r *repo.Repo, model generator.Model, found *verification) error {
	selected := model.Selection.Targets
	if len(selected) == 0 {
		return nil
	}
	f, err := nix.New(nix.Settings{Progress: v.show}).OpenConfigured(ctx, r.Dir(), model.Config)
	if err != nil {
		return err
	}
	if f.WroteLock {
		found.Warnings.Add(diag.Notice, diag.Pos{File: "flake.lock"}, "flake-lock-written", "commit it", "nix wrote flake.lock, as every nix command in this flake does")
	}
	attrs := make([]flake.AttrPath, len(selected))
	for i, t := range selected {
		attrs[i] = t.Attr
	}
	described, err := f.Describe(ctx, attrs)
	if err != nil {
		return err
	}
	for i, d := range described {
		if d.Missing {
			found.Warnings.Warnf(selected[i].Matcher.Pos, "target-missing", `correct garnix.yaml, or run "garnix2gha snapshot" if a lock names it`,
				"%s is selected, and the flake has no such output", d.Attr)
			continue
		}
		found.Targets = append(found.Targets, evaluated(selected[i], d))
	}
	if len(found.Targets) == 0 {
		return fmt.Errorf("the flake has none of the %s, so nothing was verified", plural(len(selected), "selected target"))
	}
	return nil
}

// evaluated is a target with what nix says about it.
func evaluated(t target.Target, d nix.Described) verifiedTarget {
	out := verifiedTarget{
		Attr: d.Attr.String(), System: string(cmp.Or(d.System, t.System)), Drv: d.Drv, Outputs: []verifiedOutput{}, pos: t.Matcher.Pos,
	}
	if failure := d.Failure; failure != nil {
		out.next = failure.Hint
		switch failure.Cause {
		case nix.NeedsBuild:
			out.Error = "it cannot be evaluated here, because that takes a build on another machine: " + failure.Message
			out.next = cmp.Or(out.next, "verify it on a machine of its system, or let the workflow do it")
		case nix.Machine:
			out.Error = "nix could not evaluate it: " + failure.Message
			out.next = cmp.Or(out.next, "try again")
		default:
			out.Error = "it does not evaluate: " + failure.Message
			out.next = cmp.Or(out.next, "evaluate it with nix, which shows where")
		}
		return out
	}
	for _, name := range slices.Sorted(maps.Keys(d.Outputs)) {
		output := verifiedOutput{Name: name, Path: d.Outputs[name], Verdict: bincache.Unknown}
		if output.Path == "" {
			output.Cause = "content-addressed: only building it tells the path"
			output.Next = "build it, and verify the path that the build prints with --paths"
		}
		out.Outputs = append(out.Outputs, output)
	}
	return out
}

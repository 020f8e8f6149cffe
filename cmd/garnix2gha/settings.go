// The settings: writing them, their schema, and the pins that they may hold.

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
	"garnix2gha/generator/plan"
	"garnix2gha/generator/settings"
)

func newInit(o *options) *cobra.Command {
	var cache string
	command := &cobra.Command{
		Use:   "init",
		Short: "Write a commented settings file",
		RunE: func(*cobra.Command, []string) error {
			return o.within(func(r *repo.Repo) error { return o.initialize(r, cache) })
		},
	}
	command.Flags().StringVar(&cache, "cache", "", "name of the Cachix cache")
	return command
}

func (o *options) initialize(r *repo.Repo, cache string) error {
	action, err := o.changeSettings(r, func(old []byte) ([]byte, error) {
		switch {
		case cache == "" && old != nil:
			fmt.Fprintf(o.stderr, "%s exists and is left alone\n", repo.SettingsFile)
			return nil, errProblems
		case cache == "":
			return settings.Template(), nil
		case old == nil:
			old = settings.Template()
		}
		if diags := settings.CheckCacheName(cache); diags.HasErrors() {
			return nil, usagef("%s; %s", diags[0].Message, diags[0].Hint)
		}
		return settings.WithCachix(old, cache, "", nil)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(o.stdout, "%-9s %s\n", action, repo.SettingsFile)
	if cache != "" && action != "unchanged" {
		fmt.Fprintln(o.stderr, "next: garnix2gha generate")
	}
	in, err := o.input(r)
	if hint := generator.Read(in).CacheHint(); err == nil && hint != "" {
		fmt.Fprintln(o.stderr, "hint: "+hint)
	}
	return err
}

// changeSettings rewrites the settings, old being nil without a file, and tells what that did to the file. What is wrong
// with them has been printed when it returns errProblems.
func (o *options) changeSettings(r *repo.Repo, rewrite func(old []byte) ([]byte, error)) (did string, err error) {
	if _, err := o.settingsOf(r); err != nil {
		return "", err
	}
	old, err := r.Read(repo.SettingsFile)
	if err != nil {
		return "", err
	}
	fresh, err := rewrite(old)
	if err != nil {
		return "", err
	}
	change := output.Change{Path: repo.SettingsFile, Old: old, New: fresh}
	return action(change), r.Apply(pending(change))
}

func newSchema(o *options) *cobra.Command {
	return &cobra.Command{
		Use:       "schema [garnix]",
		Short:     "Print the JSON Schema of the settings, or of garnix.yaml",
		ValidArgs: []string{"garnix"},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && args[0] != "garnix" {
				return usagef(`want no argument, or "garnix"`)
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			schema := settings.Schema()
			if len(args) == 1 {
				schema = settings.GarnixSchema()
			}
			_, err := o.stdout.Write(schema)
			return err
		},
	}
}

func newPins(o *options) *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "Show the action pins in use",
		RunE: func(*cobra.Command, []string) error { return o.within(o.listPins) },
	}
	keep := &cobra.Command{
		Use: "keep", Aliases: []string{"absorb"}, Short: "Write the pins that a bot moved into the settings",
		RunE: func(*cobra.Command, []string) error { return o.within(o.keepPins) },
	}
	command := &cobra.Command{Use: "pins", Short: list.Short, RunE: list.RunE}
	command.AddCommand(list, keep)
	return command
}

// pinJSON is one pin of one action in use.
type pinJSON struct {
	output.Pin
	Ours bool `json:"ours"` // what garnix2gha would render now
}

// listPins lists the pins of the committed workflows that are ours, by action.
func (o *options) listPins(r *repo.Repo) error {
	result, files, err := o.rendered(r)
	if err != nil {
		return err
	}
	own, pins := output.Pins(result.Files...), []pinJSON{}
	for _, pin := range output.Pins(output.OwnWorkflows(files)...) {
		pins = append(pins, pinJSON{pin, slices.Contains(own, pin)})
	}
	slices.SortStableFunc(pins, func(a, b pinJSON) int { return strings.Compare(a.Action, b.Action) })
	if o.format == "json" {
		return o.printJSON(map[string]any{"pins": pins})
	}
	w := table(o.stdout)
	for _, pin := range pins {
		note := ""
		if !pin.Ours {
			note = "moved since it was generated"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", pin.Action, pin.SHA, pin.Version, note)
	}
	return w.Flush()
}

func (o *options) keepPins(r *repo.Repo) error {
	result, files, err := o.rendered(r)
	if err != nil {
		return err
	}
	moved := map[string]settings.Pin{}
	for action, pin := range output.Moved(result.Files, files) {
		if _, known := plan.Pins()[action]; known {
			moved[action] = settings.Pin{SHA: pin.SHA, Version: pin.Version}
		}
	}
	if len(moved) == 0 {
		fmt.Fprintln(o.stdout, "no pin has moved")
		return nil
	}
	if _, err := o.changeSettings(r, func(old []byte) ([]byte, error) { return settings.WithPins(old, moved) }); err != nil {
		return err
	}
	for _, action := range slices.Sorted(maps.Keys(moved)) {
		fmt.Fprintf(o.stdout, "kept      %s@%s %s\n", action, moved[action].SHA, moved[action].Version)
	}
	fmt.Fprintln(o.stderr, `next: garnix2gha generate`)
	return nil
}

// contradictions are what our workflows say of pins that cannot be: no fault as long as nobody is strict, for tags move.
func contradictions(files map[string][]byte, strict bool) diag.List {
	var known []output.Pin
	for action, pin := range plan.Pins() {
		known = append(known, output.Pin{Action: action, SHA: pin.SHA, Version: pin.Version})
	}
	severity := diag.Warning
	if strict {
		severity = diag.Error
	}
	return output.Contradictions(files, known, severity)
}

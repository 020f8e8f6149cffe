// Pins: the commits of the actions that the workflows use.

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
	"garnix2gha/generator/plan"
	"garnix2gha/generator/settings"
)

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
	newest, loose := output.Moved(output.Pins(result.Files...), files)
	moved := map[string]settings.Pin{}
	for action, pin := range newest {
		if _, known := plan.Pins()[action]; known {
			moved[action] = settings.Pin{SHA: pin.SHA, Version: pin.Version}
		}
	}
	for _, pin := range loose {
		fmt.Fprintf(o.stderr, "notice: %s@%s was moved but is not kept: the comment beside it names no version\n", pin.Action, pin.SHA)
	}
	if len(moved) == 0 {
		if len(loose) == 0 {
			fmt.Fprintln(o.stdout, "no pin has moved")
		}
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

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/output"
	"garnix2gha/generator/plan"
	"garnix2gha/generator/settings"
)

func newPins(o *options) *cobra.Command {
	command := &cobra.Command{
		Use:   "pins",
		Short: "Show the action pins in use",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return listPins(o) },
	}
	command.AddCommand(
		&cobra.Command{
			Use: "list", Short: "Show the action pins in use", Args: noArgs,
			RunE: func(*cobra.Command, []string) error { return listPins(o) },
		},
		&cobra.Command{
			Use: "absorb", Short: "Keep the pins that a bot moved", Args: noArgs,
			Long: `Record the pins of the committed workflows that differ from garnix2gha's own in
.github/garnix2gha/config.yaml, so that the next "garnix2gha generate" keeps them.`,
			RunE: func(*cobra.Command, []string) error { return absorbPins(o) },
		},
	)
	return command
}

// pinJSON is one pin of one action in use.
type pinJSON struct {
	output.Pin
	Ours bool `json:"ours"` // what garnix2gha would render now
}

// pinsInUse returns the pins of the committed workflows that are ours, by action.
func pinsInUse(o *options, r *repo.Repo) ([]pinJSON, error) {
	files, err := r.Workflows(output.Dir)
	if err != nil {
		return nil, err
	}
	result, err := o.generate(r)
	if err != nil {
		return nil, err
	}
	ours := map[output.Pin]bool{}
	for _, file := range result.Files {
		for _, pin := range output.Pins(file.Data) {
			ours[pin] = true
		}
	}
	seen := map[output.Pin]bool{}
	var pins []pinJSON
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !output.Generated(files[name]) {
			continue
		}
		for _, pin := range output.Pins(files[name]) {
			if !seen[pin] {
				seen[pin] = true
				pins = append(pins, pinJSON{Pin: pin, Ours: ours[pin]})
			}
		}
	}
	slices.SortStableFunc(pins, func(a, b pinJSON) int { return strings.Compare(a.Action, b.Action) })
	return pins, nil
}

func listPins(o *options) error {
	r, _, err := o.open()
	if err != nil {
		return err
	}
	defer r.Close()
	pins, err := pinsInUse(o, r)
	if err != nil {
		return err
	}
	if o.format == "json" {
		return o.printJSON(map[string]any{"pins": nonNil(pins)})
	}
	w := tabwriter.NewWriter(o.stdout, 0, 0, 2, ' ', 0)
	for _, pin := range pins {
		note := ""
		if !pin.Ours {
			note = "moved since it was generated"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", pin.Action, pin.SHA, pin.Version, note)
	}
	return w.Flush()
}

func absorbPins(o *options) error {
	r, _, err := o.open()
	if err != nil {
		return err
	}
	defer r.Close()
	pins, err := pinsInUse(o, r)
	if err != nil {
		return err
	}
	moved := map[string]settings.Pin{}
	for _, pin := range pins {
		if _, known := plan.Pins()[pin.Action]; known && !pin.Ours {
			moved[pin.Action] = settings.Pin{SHA: pin.SHA, Version: pin.Version}
		}
	}
	if len(moved) == 0 {
		fmt.Fprintln(o.stdout, "no pin has moved")
		return nil
	}
	old, err := r.Read(repo.SettingsFile)
	if err != nil {
		return err
	}
	fresh, err := settings.WithPins(old, moved)
	if err != nil {
		return err
	}
	if err := r.Apply([]repo.Edit{{Path: repo.SettingsFile, Data: fresh}}); err != nil {
		return err
	}
	for _, action := range slices.Sorted(maps.Keys(moved)) {
		fmt.Fprintf(o.stdout, "absorbed  %s@%s %s\n", action, moved[action].SHA, moved[action].Version)
	}
	fmt.Fprintln(o.stderr, `next: garnix2gha generate`)
	return nil
}

// Eject: the generated files become the repository's own.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
	"garnix2gha/generator/plan"
	"garnix2gha/generator/settings"
)

func (o *options) eject(_ context.Context, r *repo.Repo) error {
	files, err := disk(r)
	if err != nil {
		return err
	}
	var edits []output.Change
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !output.Ours(name, files[name]) {
			continue
		}
		data := output.Eject(output.File{Path: name, Data: files[name]}).Data
		if name == output.Targets {
			if data, err = ejectedTargets(files[name]); err != nil {
				return err
			}
		}
		edits = append(edits, output.Change{Path: name, Old: files[name], New: data})
	}
	if err := r.Apply(edits); err != nil {
		return err
	}
	for _, edit := range edits {
		fmt.Fprintf(o.stdout, "ejected   %s\n", diag.Printable(edit.Path))
	}
	if len(edits) == 0 {
		fmt.Fprintln(o.stdout, "nothing here was generated")
		return nil
	}
	fmt.Fprintln(o.stderr, `next: commit them, and take "garnix2gha check" out of your CI, which it would fail from now on`)
	return nil
}

// ejectedTargets returns a targets.json that comes from nobody and watches no inputs.
func ejectedTargets(content []byte) ([]byte, error) {
	var manifest plan.Manifest
	if err := json.Unmarshal(content, &manifest); err != nil {
		return nil, fmt.Errorf("read %s: %w", output.Targets, err)
	}
	manifest.About = "What the workflows build, for whom and where."
	manifest.Generator, manifest.Digest, manifest.Inputs, manifest.Stale = "", "", map[string]string{}, string(settings.StaleOff)
	return output.JSON(manifest)
}

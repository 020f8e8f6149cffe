package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/output"
)

// What somebody writes between a comparison and the writing is not lost, and nothing else is written.
func TestWriteRefusesWhatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	const config, workflow = "builds: {include: [packages.x86_64-linux.a]}\n", ".github/workflows/nix-build-cache.yml"
	for name, change := range map[string]func(dir string) error{
		"a file that was changed": func(dir string) error { return os.WriteFile(filepath.Join(dir, workflow), []byte("mine"), 0o644) },
		"a file that was made": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, ".github/workflows/garnix-actions.yml"), []byte("mine"), 0o644)
		},
		"a file that was removed": func(dir string) error { return os.Remove(filepath.Join(dir, workflow)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, map[string]string{"garnix.yaml": config})
			require.Equal(t, exitFine, invocation{}.run(t, "-C", dir, "generate").code)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "garnix.yaml"), []byte(config+"actions: [{on: push, run: b}]\n"), 0o644))
			r, err := repo.Open(dir)
			require.NoError(t, err)
			defer r.Close()
			result, onDisk, err := (&options{}).rendered(r)
			require.NoError(t, err)
			before, err := r.Read(output.Targets)
			require.NoError(t, err)

			require.NoError(t, change(dir))
			require.ErrorContains(t, r.Apply(output.Compare(result.Files, onDisk)), "it changed in the meantime; nothing was written")
			after, err := r.Read(output.Targets)
			require.NoError(t, err)
			assert.Equal(t, string(before), string(after))
		})
	}
}

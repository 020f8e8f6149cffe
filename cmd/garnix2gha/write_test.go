package main

import (
	"bytes"
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

// A run that is killed or fails leaves what another goes on from, wherever it stops.
func TestAStoppedGenerateLeavesWhatTheNextGoesOnFrom(t *testing.T) {
	t.Parallel()
	const config = "builds: {include: [packages.x86_64-linux.a]}\n"
	for name, age := range map[string]func(t *testing.T, dir string){
		"a first run": func(*testing.T, string) {},
		"other settings": func(t *testing.T, dir string) {
			replaceIn(t, dir, repo.SettingsFile, "", "statuses: true\nfiles: {cache: c.yml}\n")
		},
		"an upgrade": func(t *testing.T, dir string) {
			replaceIn(t, dir, output.Targets, `"generator": "`, `"generator": "older `)
			replaceIn(t, dir, output.Programs+"/__main__.py", "import", "import os\nimport")
			workflow, err := output.Workflow("nix-build-cache.yml", []byte("on: push\n"))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, workflow.Path), workflow.Data, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for stop, all := 1, 2; stop < all; stop++ {
				dir := folder(t, map[string]string{"garnix.yaml": config, repo.SettingsFile: ""})
				if name != "a first run" {
					require.Equal(t, exitFine, invocation{}.run(t, "-C", dir, "generate").code)
				}
				age(t, dir)
				r, err := repo.Open(dir)
				require.NoError(t, err)
				result, onDisk, err := (&options{}).rendered(r)
				require.NoError(t, err)
				wanted := pending(output.Compare(result.Files, onDisk)...)
				all = len(wanted)
				require.Greater(t, all, 2)
				written := 0
				r.Changed = func(string) {
					if written++; written == stop {
						assert.NoError(t, r.Close())
					}
				}
				require.ErrorContains(t, r.Apply(wanted), "; changed before that: ")

				again := invocation{}.run(t, "-C", dir, "generate")
				require.Equal(t, exitFine, again.code, "after %d of %d files: %s", stop, all, again.stderr)
				checked := invocation{}.run(t, "-C", dir, "check", "--strict")
				assert.Equal(t, exitFine, checked.code, "%s", checked.stdout)
			}
		})
	}
}

// replaceIn changes the first such place of a file.
func replaceIn(t *testing.T, dir, name, old, fresh string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	require.Contains(t, string(content), old)
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), bytes.Replace(content, []byte(old), []byte(fresh), 1), 0o600))
}

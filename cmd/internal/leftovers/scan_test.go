package leftovers

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/diag"
)

func scanOne(t *testing.T, name, content string) []Trace {
	t.Helper()
	traces, _, err := Scan(fstest.MapFS{name: {Data: []byte(content)}}, []string{name}, Options{Aggregate: "All Garnix checks"})
	require.NoError(t, err)
	return traces
}

func TestFilesThatAreNotSearched(t *testing.T) {
	t.Parallel()
	limit := strings.Repeat("x\n", maxFileBytes/2)
	for _, tc := range []struct {
		name    string
		path    string
		content string
		want    []Kind
	}{
		{name: "a NUL in the first 8 KB makes a file binary", path: "a.bin", content: "garnix\x00"},
		{name: "a NUL after the first 8 KB does not", path: "a.txt", content: strings.Repeat("x", sniffBytes) + "\x00garnix", want: []Kind{KindProse}},
		{name: "a file of exactly the limit is searched", path: "a.txt", content: limit[:len(limit)-7] + "garnix\n", want: []Kind{KindProse}},
		{name: "a file over the limit is reported as skipped", path: "a.txt", content: limit + "\n", want: []Kind{KindSkipped}},
		{name: "a binary file over the limit is not", path: "a.bin", content: "\x00" + limit},
		{name: "the git folder is never read", path: "sub/.git/config", content: "garnix"},
		{name: "nor is it by another case of its name", path: ".GIT/config", content: "garnix"},
		{name: "a file that only looks like it is read", path: ".gitmodules", content: "garnix", want: []Kind{KindOther}},
		{name: "an empty file has no trace", path: "a.txt"},
		{name: "a binary file may still be named after garnix", path: "garnix.png", content: "\x00", want: []Kind{KindFileName}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var got []Kind
			for _, trace := range scanOne(t, tc.path, tc.content) {
				got = append(got, trace.Kind)
			}
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestASkippedFileIsNotCounted(t *testing.T) {
	t.Parallel()
	traces := scanOne(t, "a.txt", strings.Repeat("x", maxFileBytes+1))
	require.Len(t, traces, 1)
	assert.False(t, traces[0].Counted())
	assert.Contains(t, traces[0].Advice, "search it by hand")
}

func TestLinksFoldersAndMissingFilesAreLeftOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "real.txt"), []byte("garnix\n"), 0o600))
	require.NoError(t, os.Symlink("real.txt", filepath.Join(dir, "link.txt")))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "garnix-link")))
	require.NoError(t, os.Symlink(t.TempDir(), filepath.Join(dir, "outside")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "submodule"), 0o700))
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()

	traces, _, err := Scan(root.FS(), []string{"outside/a/b.txt", "submodule", "link.txt", "real.txt", "real.txt", "deleted-garnix.txt", "garnix-link"}, Options{})
	require.NoError(t, err)
	require.Len(t, traces, 2)
	assert.Equal(t, diag.Pos{File: "garnix-link"}, traces[0].Pos)
	assert.Equal(t, diag.Pos{File: "real.txt", Line: 1, Column: 1}, traces[1].Pos)
}

func TestFailuresAreErrors(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"../up", "/etc/passwd", "a//b", ""} {
		_, _, err := Scan(fstest.MapFS{}, []string{name}, Options{})
		require.ErrorIs(t, err, fs.ErrInvalid, name)
	}
}

func TestPositionsCountCharacters(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		content string
		want    diag.Pos
	}{
		{name: "letters of two bytes are one column", content: "Bäume\nüber garnix\n", want: diag.Pos{Line: 2, Column: 6}},
		{name: "invalid bytes are one column each", content: "\xff\xfegarnix", want: diag.Pos{Line: 1, Column: 3}},
		{name: "a byte order mark is none", content: "\ufeffgarnix", want: diag.Pos{Line: 1, Column: 1}},
		{name: "a carriage return ends no line", content: "a\rgarnix\r\n", want: diag.Pos{Line: 1, Column: 3}},
		{name: "the tool's name before it is passed over", content: "garnix2gha garnix", want: diag.Pos{Line: 1, Column: 12}},
		{name: "letters whose lower case is longer do not shift it", content: "İİ GARNIX", want: diag.Pos{Line: 1, Column: 4}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			traces := scanOne(t, "a.txt", tc.content)
			require.Len(t, traces, 1)
			tc.want.File = "a.txt"
			assert.Equal(t, tc.want, traces[0].Pos)
		})
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]class{
		"garnix.yaml": classConfig, "x/GARNIX.YML": classConfig, ".garnix.yaml": classConfig, "flake.lock": classLock, "a/b.nix": classNix,
		"nix.conf": classNixConf, ".devcontainer/nix.conf": classNixConf, "etc/nix.custom.conf": classNixConf, "etc/nix.conf.d/a.conf": classNixConf, "etc/a.conf": classOther,
		"README.md": classProse, "README": classProse, "a.html": classProse, "a.org": classProse, "a.rst": classProse,
		"LICENSE": classRecord, "UNLICENSE.txt": classRecord, "x/LICENCE-MIT": classRecord, "CHANGELOG.md": classRecord, "licenses.nix": classNix, "news.py": classOther, "release.yml": classOther, "history-2.rst": classRecord,
		".github/garnix2gha/ci/plan.py": classOwn, ".github/garnix2gha/garnix.yaml": classOwn, ".github/workflows/a.yml": classOther, "a.patch": classPatch,
	} {
		assert.Equal(t, want, classify(strings.ToLower(path), ""), path)
	}
	assert.Equal(t, classOwn, classify(".github/workflows/a.yml", "# spdx\n\n# generated from garnix.yaml by garnix2gha\nname: x"))
	assert.Equal(t, classOther, classify(".github/workflows/a.yml", "name: x\n# generated by garnix2gha"))
	assert.Equal(t, classOther, classify("other.yml", "# generated by garnix2gha"))
}

func TestWhereChecksAreNamed(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]Kind{
		".mergify.yml": KindAutomerge, ".mergify/config.yml": KindAutomerge, ".github/mergify.yml": KindAutomerge, "renovate.json5": KindAutomerge, ".renovaterc": KindAutomerge,
		".kodiak.toml": KindAutomerge, "bors.toml": KindAutomerge, ".github/auto-merge.yml": KindAutomerge, ".github/workflows/automerge.yml": "",
		".github/settings.yml": KindProtection, ".github/rulesets/a.json": KindProtection, "infra/ruleset.json": KindProtection, "main.tf": "", "README.md": "",
	} {
		assert.Equal(t, want, classify(path, "").place(path, ""), path)
	}
	for text, want := range map[string]Kind{
		"required_status_checks {": KindProtection, "requiredstatuschecks: [": KindProtection, "on: check_run": KindCheckWait, "on: [check_suite]": KindCheckWait,
		"github.event.context == 'x'": KindCheckWait, "gh pr checks": KindCheckWait, "commits/$sha/status": KindCheckWait, "on: push": "",
	} {
		assert.Equal(t, want, classOther.place("a.yml", text), text)
		assert.Empty(t, classProse.place("a.md", text), text)
	}
}

func TestNamesOfChecks(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"- check-success=package default [x86_64-linux]": true, `"check a.b [aarch64-darwin]"`: true, "devShell x [i686-linux]": true,
		"default package [x86_64-darwin]": true, "default devShell [x86_64-linux]": true, "nixosConfig web": true, `"homeConfig me@host"`: true, "darwinConfig mac": true,
		`"app deploy"`: true, "- action deploy": true, "context = 'FOD checks'": true, "check-name: Evaluate flake.nix": true, "=Evaluate flake.nix\r\n": true,
		`check-success~=^package .+ \\[x86_64-linux\\]$`: true,
		"package default [x86_64-windows]":               false, "the package default": false, "nixosConfigurations web": false, "nixosConfig": false,
		"an app deploy": false, "name: app deploy": false, `- name: "action deploy"`: false, "run: action deploy": false, "Evaluate flake.nix again": false, "description: FOD checks": false,
	} {
		d := newDocument(".mergify.yml", line, Options{}, nil)
		assert.Equal(t, want, d.checkName(line) >= 0, line)
		assert.Equal(t, -1, newDocument("a.yml", line, Options{}, nil).checkName(line), "only where checks are named: %s", line)
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, path, content string
		want                Kind
	}{
		{"a comment", "a.nix", "# garnix", KindOther},
		{"an attribute", "a.nix", `{ services.garnix.enable = true; }`, KindOther},
		{"the output garnix.config", "flake.nix", `{ garnix = { config = { }; }; }`, KindConfigOutput},
		{"an input of a flake", "flake.nix", "{ inputs.x.url = \"github:some/garnix\"; }", KindFlakeInput},
		{"a module of an input", "a.nix", "{ imports = [ inputs.my-garnix.x ]; }", KindFlakeInput},
		{"the host alone", "a.nix", `"cache.garnix.io"`, KindHost},
		{"a user at the host", "a.sh", `curl https://me@cache.garnix.io`, KindHost},
		{"a key by another name", "a.nix", `"mirror:` + bareKey + `"`, KindHost},
		{"a URL", "settings.toml", `conf = "https://cache.garnix.io"`, KindSubstituter},
		{"a key", "settings.toml", `conf = "` + garnixKey + `"`, KindKey},
		{"credentials", "ops/netrc", "machine cache.garnix.io", KindNetrc},
		{"an action", ".github/workflows/a.yml", "uses: garnix-io/actions@v1", KindProgram},
		{"a workflow that says it waits and does not", ".github/workflows/a.yml", "name: wait for garnix", KindOther},
		{"a workflow that waits", ".github/workflows/a.yml", "name: wait for garnix\nuses: lewagon/wait-on-check-action@v1", KindCheckWait},
		{"a comment in it", ".github/workflows/a.yml", "# From garnix\nuses: lewagon/wait-on-check-action@v1", KindOther},
		{"a script that waits", "bin/wait", "#!/bin/sh\ngh pr checks | grep garnix", KindCheckWait},
		{"a ruleset", ".github/rulesets/a.json", `"context": "Garnix CI"`, KindProtection},
		{"a merge bot", "renovate.json", `"Garnix CI"`, KindAutomerge},
		{"what else a bot is told", "renovate.json", `"garnix-io/garnix-lib"`, KindProgram},
		{"a schema in an editor's line", "ci/x.yaml", "a: b # yaml-language-server: $schema=https://garnix.io/api/x", KindSchema},
		{"a badge in HTML", "a.html", `<img src="https://garnix.io/api/badges/a/b">`, KindBadge},
		{"prose", "a.md", "# On garnix", KindProse},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			traces := scanOne(t, tc.path, tc.content)
			require.Len(t, traces, 1)
			assert.Equal(t, tc.want, traces[0].Kind)
			assert.Equal(t, Manual, traces[0].Fix)
		})
	}
}

type brokenFS struct{ fstest.MapFS }

func (brokenFS) Open(string) (fs.File, error) { return nil, fs.ErrPermission }

func TestAFileThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	broken := brokenFS{fstest.MapFS{"nix.conf": {Data: []byte("x")}}}
	_, _, err := Scan(broken, []string{"nix.conf"}, Options{})
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorContains(t, err, `open "nix.conf"`)
}

func TestTracesAsJSON(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(scanOne(t, "a.csv", "x,garnix\ny\ngarnix")[0])
	require.NoError(t, err)
	assert.JSONEq(t, `{"file":"a.csv","line":1,"column":3,"kind":"other","fix":"manual","lines":[1,3],
		"advice":"look at it, and remove or reword the mention (also on line 3)"}`, string(got))
}

func TestWhatCountsAndWhatIsLeftByHand(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		trace           Trace
		counted, byHand bool
	}{
		{Trace{Kind: KindBadge, Fix: Safe}, true, false},
		{Trace{Kind: KindBadge, Fix: Partly}, true, true},
		{Trace{Kind: KindProse, Fix: Manual}, true, true},
		{Trace{Kind: KindAutomerge, Fix: Kept}, false, false},
		{Trace{Kind: KindSkipped, Fix: Manual}, false, false},
	} {
		assert.Equal(t, tc.counted, tc.trace.Counted(), tc.trace)
		assert.Equal(t, tc.byHand, tc.trace.ByHand(), tc.trace)
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"garnix.yaml":                     `keep it until the new cache is proven; "garnix2gha retire --move-config" then takes it out of the root`,
		"garnix.yml":                      "remove it: garnix never read this name",
		".garnix.yaml":                    "remove it: garnix never read this name",
		"Garnix.yaml":                     "remove it: garnix never read this name",
		"templates/a/garnix.yaml":         "remove it: garnix read only the garnix.yaml at the root",
		"hosts/garnix.nix":                "rename or remove it, and what refers to it",
		".github/garnix2gha/garnix.yaml":  "",
		".github/garnix2gha/overlay.json": "",
		"docs/garnix2gha.md":              "",
	} {
		traces := scanOne(t, name, "x: y\n")
		if want == "" {
			assert.Empty(t, traces, name)
			continue
		}
		require.Len(t, traces, 1, name)
		assert.Equal(t, diag.Pos{File: name}, traces[0].Pos)
		assert.Equal(t, want, traces[0].Advice)
	}
}

// What names garnix.yaml stays as long as the file does.
func TestMentionsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	const text = "/garnix.yaml text\n/.github/garnix2gha/garnix.yaml text\n"
	for _, tc := range []struct {
		config string
		want   []Remedy
	}{
		{"garnix.yaml", []Remedy{Kept, Kept}},
		{".github/garnix2gha/garnix.yaml", []Remedy{Manual, Kept}},
		{"flake.nix", []Remedy{Manual}}, // one trace for both lines
	} {
		repository := fstest.MapFS{".gitattributes": {Data: []byte(text)}, tc.config: {}}
		traces, _, err := Scan(repository, tracked(repository), Options{})
		require.NoError(t, err)
		var got []Remedy
		for _, trace := range traces {
			if trace.File == ".gitattributes" {
				got = append(got, trace.Fix)
			}
		}
		assert.Equal(t, tc.want, got, tc.config)
	}
}

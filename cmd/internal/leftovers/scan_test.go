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
	traces, err := Scan(fstest.MapFS{name: {Data: []byte(content)}}, []string{name}, Options{})
	require.NoError(t, err)
	return traces
}

func TestFilesThatAreNotSearched(t *testing.T) {
	t.Parallel()
	limit := strings.Repeat("x\n", MaxFileBytes/2)
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

func TestASkippedFileIsNotCountedAndNamesTheCommandToSearchIt(t *testing.T) {
	t.Parallel()
	traces := scanOne(t, "a b's.txt", strings.Repeat("x", MaxFileBytes+1))
	require.Len(t, traces, 1)
	assert.False(t, traces[0].Counted())
	assert.Equal(t, `grep -n -i garnix -- 'a b'\''s.txt'`, traces[0].Command)
}

func TestLinksFoldersAndMissingFilesAreLeftOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "real.txt"), []byte("garnix\n"), 0o600))
	require.NoError(t, os.Symlink("real.txt", filepath.Join(dir, "link.txt")))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "garnix-link")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "submodule"), 0o700))
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()

	traces, err := Scan(root.FS(), []string{"submodule", "link.txt", "real.txt", "real.txt", "deleted-garnix.txt", "garnix-link"}, Options{})
	require.NoError(t, err)
	require.Len(t, traces, 2)
	assert.Equal(t, diag.Pos{File: "garnix-link"}, traces[0].Pos)
	assert.Equal(t, diag.Pos{File: "real.txt", Line: 1, Column: 1}, traces[1].Pos)
}

func TestFailuresAreErrors(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"../up", "/etc/passwd", "a//b", ""} {
		_, err := Scan(fstest.MapFS{}, []string{name}, Options{})
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

func TestTextIsFitToBePrinted(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("y", 300)
	for _, tc := range []struct {
		name    string
		content string
		want    string
	}{
		{name: "control characters are replaced", content: "\x1b[31mgarnix\x07\u202e\u200b", want: "\ufffd[31mgarnix\ufffd\ufffd\ufffd"},
		{name: "indentation goes and a tab becomes a blank", content: "\t\tgarnix\tx\r\n", want: "garnix x\ufffd"},
		{name: "the start of a long line is kept when the mention is there", content: "garnix" + long, want: "garnix" + long[:154] + "…"},
		{name: "a long line is shown around the mention", content: long + "garnix" + long, want: "…" + long[:80] + "garnix" + long[:74] + "…"},
		{name: "the end of a long line is shown whole", content: long + "garnix", want: "…" + long[:154] + "garnix"},
		{name: "a password goes with all that follows it in a netrc line", content: `machine cache.garnix.io login a password "b c" machine d`, want: "machine cache.garnix.io login a password ***"},
		{name: "a password in a URL is hidden", content: "https://me:pw@cache.garnix.io", want: "https://me:***@cache.garnix.io"},
		{name: "a secret is hidden before the line is shortened", content: "token=" + long + " garnix " + long, want: "token=*** garnix " + long[:143] + "…"},
		{name: "tokens are known by their look", content: "garnix ghp_0123456789abcdef eyJhbGciOiJIUzI1NiJ9.e30.x", want: "garnix *** ***"},
		{name: "a header's value is hidden", content: `garnix -H "Authorization: Bearer abc" Bearer def -u me:pw`, want: `garnix -H "Authorization: Bearer ***" Bearer *** -u ***`},
		{name: "a reference to a secret is not one", content: "password: ${{ secrets.GARNIX }}", want: "password: ${{ secrets.GARNIX }}"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			traces := scanOne(t, "a.txt", tc.content)
			require.Len(t, traces, 1)
			assert.Equal(t, strings.TrimSuffix(tc.want, "\ufffd"), strings.TrimSuffix(traces[0].Text, "\ufffd"))
		})
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]class{
		"garnix.yaml": classConfig, "x/GARNIX.YML": classConfig, "flake.lock": classLock, "a/b.nix": classNix,
		"nix.conf": classNixConf, ".devcontainer/nix.conf": classNixConf, "etc/nix.custom.conf": classNixConf, "etc/nix.conf.d/a.conf": classNixConf, "etc/a.conf": classOther,
		".netrc": classNetrc, "_netrc": classNetrc, "ops/ci.netrc": classNetrc,
		"README.md": classMarkdown, "README": classProse, "a.html": classHTML, "a.org": classOrg, "a.rst": classProse,
		".github/workflows/a.yml": classPipeline, ".github/actions/a/action.yaml": classPipeline, ".gitlab-ci.yml": classPipeline, "action.yml": classPipeline, "Jenkinsfile": classPipeline,
		"a.sh": classScript, "Justfile": classScript, "Dockerfile.ci": classScript, ".devcontainer/devcontainer.json": classScript, ".envrc": classScript,
		".mergify.yml": classAutomerge, ".github/mergify.yml": classAutomerge, "renovate.json5": classAutomerge, ".github/dependabot.yml": classAutomerge, ".kodiak.toml": classAutomerge,
		".github/settings.yml": classProtection, ".github/rulesets/a.json": classProtection, "main.tf": classOther, "a.yml": classOther,
	} {
		assert.Equal(t, want, classify(path, nil), path)
	}
	assert.Equal(t, classProtection, classify("main.tf", []byte("required_status_checks {")))
	assert.Equal(t, classScript, classify("bin/run", []byte("#!/bin/sh")))
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, path, content string
		want                Kind
	}{
		{"a key in nixConfig that is no list", "flake.nix", `{ nixConfig.trusted-public-keys = f "cache.garnix.io:x="; }`, KindFlakeKey},
		{"a URL in nixConfig that is no list", "flake.nix", `{ nixConfig.extra-substituters = f "https://cache.garnix.io"; }`, KindFlakeSubstituter},
		{"a setting switched off by a comment", "a.nix", "{\n}\n# substituters = [ \"https://cache.garnix.io\" ];", KindOther},
		{"an attribute path put together", "a.nix", `{ ${"garnix"}.x = 1; }`, KindOther},
		{"a definition without a name", "a.nix", `{ = "https://cache.garnix.io"; }`, KindModuleSubstituter},
		{"a set without a definition", "a.nix", `{ inherit (garnix) x; }`, KindOther},
		{"nix.conf in some other file", "settings.toml", `conf = "substituters = https://cache.garnix.io"`, KindNixConf},
		{"a workflow that is all comment", ".github/workflows/a.yml", "# garnix", KindOther},
		{"a workflow that says it waits and does not", ".github/workflows/a.yml", "name: wait for garnix", KindOther},
		{"a workflow that waits", ".github/workflows/a.yml", "name: wait for garnix\nuses: lewagon/wait-on-check-action@v1", KindCheckWait},
		{"a schema in an editor's line", "ci/x.yaml", "a: b # yaml-language-server: $schema=https://garnix.io/api/x", KindSchema},
		{"an input of a flake", "flake.nix", "{ inputs.x.url = \"github:some/garnix\"; }", KindFlakeInput},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			traces := scanOne(t, tc.path, tc.content)
			require.NotEmpty(t, traces)
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
	_, err := Scan(broken, []string{"nix.conf"}, Options{})
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorContains(t, err, `open "nix.conf"`)
	_, err = Fix(broken, []Trace{{Pos: diag.Pos{File: "nix.conf", Line: 1}, Fix: Safe}}, Replacement{})
	require.ErrorIs(t, err, fs.ErrPermission)
}

func TestTracesAsJSON(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(scanOne(t, "a.csv", "x,garnix")[0])
	require.NoError(t, err)
	assert.JSONEq(t, `{"file":"a.csv","line":1,"column":3,"kind":"other","text":"x,garnix",
		"mend":"look at it: remove or reword the mention","fix":"manual","command":""}`, string(got))
}

func TestSummaryCountsByKindInOrder(t *testing.T) {
	t.Parallel()
	got := Summary([]Trace{
		{Kind: KindOwn, Fix: Kept}, {Kind: KindBadge, Fix: Partly}, {Kind: KindBadge, Fix: Safe},
		{Kind: KindConfigFile, Fix: Manual}, {Kind: KindBadge, Fix: Safe},
	})
	assert.Equal(t, []Count{
		{Kind: KindConfigFile, Total: 1, Manual: 1},
		{Kind: KindBadge, Total: 3, Safe: 2, Partly: 1},
		{Kind: KindOwn, Total: 1, Kept: 1},
	}, got)
	assert.Empty(t, Summary(nil))
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

func TestPathsThatCannotBeShownGiveNoCommand(t *testing.T) {
	t.Parallel()
	traces := scanOne(t, "a\x1b/garnix.yml", "")
	require.Len(t, traces, 1)
	assert.Empty(t, traces[0].Command)
	assert.Equal(t, "a\ufffd/garnix.yml", traces[0].Text)
}

package output_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/output"
)

const (
	body = "name: N\n\non:\n  # why\n  push:\n    branches: [\"**\"]\n\njobs:\n  a:\n    steps:\n      - name: C\n        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1\n      - run: |\n          echo hello\n"
	path = ".github/workflows/n.yml"
)

// generated is a small repository's files: a workflow, a program and targets.json.
func generated(t *testing.T, body, program, digest, version string) []output.File {
	t.Helper()
	workflow, err := output.Workflow("n.yml", []byte(body))
	require.NoError(t, err)
	manifest := map[string]any{
		"//": "Written by garnix2gha generate", "generator": version, "inputs": map[string]string{"garnix.yaml": digest}, "nix": []string{"a = b"},
	}
	manifest["digest"], err = output.ManifestDigest(manifest)
	require.NoError(t, err)
	targets, err := output.JSON(manifest)
	require.NoError(t, err)
	return []output.File{workflow, output.Program("plan.py", []byte(program)), {Path: output.Targets, Data: targets}}
}

// disk is what a repository holds of files.
func disk(files []output.File) map[string][]byte {
	out := map[string][]byte{}
	for _, file := range files {
		out[file.Path] = file.Data
	}
	return out
}

const programPath = output.Programs + "/plan.py"

func TestCompareNamesTheCause(t *testing.T) {
	t.Parallel()
	const program = "print('hello')\n"
	fresh := generated(t, body, program, "d1", "v2")
	bye := strings.Replace(body, "hello", "bye", 1)
	const pin = "3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
	bump := strings.Repeat("a", 40) + " # v8"
	replace := func(name, old, new string) func(map[string][]byte) {
		return func(files map[string][]byte) {
			text := string(files[name])
			require.Contains(t, text, old)
			files[name] = []byte(strings.ReplaceAll(text, old, new))
		}
	}
	for _, tc := range []struct {
		name   string
		was    []output.File // what was generated, the fresh files if nil
		change func(map[string][]byte)
		path   string
		status output.Status
		cause  string
	}{
		{name: "the same bytes are current", path: path, status: output.Current},
		{name: "a checkout with CRLF is current", change: replace(path, "\n", "\r\n"), path: path, status: output.Current},
		{name: "a comment counts for nothing", change: replace(path, "# why", "# because"), path: path, status: output.Current},
		{name: "the header counts for nothing while the rest is right", change: replace(path, "do not edit", "do edit"), path: path, status: output.Current},
		{name: "another form is current", change: replace(path, "branches: [\"**\"]\n", "branches:\n    - '**'\n\n\n"), path: path, status: output.Current},
		{name: "a formatter's document mark is current", change: replace(path, "# Generated", "---\n# Generated"), path: path, status: output.Current},
		{name: "a changed line is an edit", change: replace(path, "hello", "bye"), path: path, status: output.Edited, cause: "somebody changed it"},
		{name: "a broken file is an edit", change: replace(path, "jobs:", "jobs: ["), path: path, status: output.Edited, cause: "not YAML"},
		{name: "a second document is an edit", change: replace(path, "echo hello\n", "echo hello\n---\nname: x\n"), path: path, status: output.Edited, cause: "not YAML"},
		{name: "aliases that stand for gigabytes are an edit", change: func(files map[string][]byte) {
			bomb := "x:\n  - &a0 [" + strings.Repeat("1, ", 100) + "1]\n"
			for i := range 9 {
				bomb += fmt.Sprintf("  - &a%d [%s1]\n", i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 40))
			}
			files[path] = append(files[path], bomb...)
		}, path: path, status: output.Edited, cause: "aliases"},
		{name: "an alias is an edit, even if the value is the same", change: func(files map[string][]byte) {
			replace(path, "name: N\n", "name: &n N\n")(files)
			replace(path, "name: C\n", "name: C\n        id: *n\n")(files)
		}, path: path, status: output.Edited, cause: "aliases"},
		{name: "an edit without its digest is an edit", change: func(files map[string][]byte) {
			replace(path, "# digest: ", "# digest ")(files)
			replace(path, "hello", "bye")(files)
		}, path: path, status: output.Edited, cause: "somebody changed"},
		{name: "another garnix.yaml is stale", was: generated(t, bye, program, "d0", "v2"), path: path, status: output.StaleInputs, cause: "garnix.yaml changed"},
		{name: "another garnix.yaml that changes nothing here is current", was: generated(t, body, program, "d0", "v2"), path: path, status: output.Current},
		{name: "and is told by targets.json", was: generated(t, body, program, "d0", "v2"), path: output.Targets, status: output.StaleInputs, cause: "garnix.yaml changed"},
		{name: "an edit of a stale file is an edit, and stale", was: generated(t, body, program, "d0", "v2"), change: replace(path, "hello", "bye"), path: path, status: output.Edited, cause: "garnix.yaml changed"},
		{name: "another rendering of the same inputs is the generator's", was: generated(t, bye, program, "d1", "v1"), path: path, status: output.StaleGenerator},
		{name: "without targets.json the inputs may have changed", was: generated(t, bye, program, "d1", "v1"), change: func(files map[string][]byte) { delete(files, output.Targets) }, path: path, status: output.StaleInputs, cause: "cannot be read"},
		{name: "a bumped pin passes", change: replace(path, pin, bump), path: path, status: output.PinsMoved, cause: "actions/checkout@aaaaaaaaaaaa v8"},
		{name: "a bumped pin in a CRLF checkout passes", change: func(files map[string][]byte) {
			replace(path, pin, bump)(files)
			replace(path, "\n", "\r\n")(files)
		}, path: path, status: output.PinsMoved},
		{name: "an older pin is the generator's to raise", change: replace(path, pin, strings.Repeat("a", 40)+" # v6.9"), path: path, status: output.StaleGenerator},
		{name: "a pin replaced by a tag is an edit", change: replace(path, "@"+pin, "@v8"), path: path, status: output.Edited},
		{name: "a pin of another action is an edit", change: replace(path, "actions/checkout@", "evil/checkout@"), path: path, status: output.Edited},
		{name: "a bumped pin beside another edit is an edit", change: func(files map[string][]byte) {
			replace(path, pin, bump)(files)
			replace(path, "hello", "bye")(files)
		}, path: path, status: output.Edited},
		{name: "a file without our header is foreign", change: func(files map[string][]byte) { files[path] = []byte("name: mine\n") }, path: path, status: output.Foreign},
		{name: "an empty file is foreign", change: func(files map[string][]byte) { files[path] = nil }, path: path, status: output.Foreign},

		{name: "a program is current", path: programPath, status: output.Current},
		{name: "line ends and white space at them are nobody's concern", change: replace(programPath, "\n", " \r\n"), path: programPath, status: output.Current},
		{name: "a changed program is an edit", change: replace(programPath, "hello", "bye"), path: programPath, status: output.Edited, cause: "not what garnix2gha writes"},
		{name: "no digest beside it helps", was: generated(t, body, "print('bye')\n", "d1", "v2"), path: programPath, status: output.Edited},
		{name: "a program of another version cannot be vouched for", was: generated(t, body, "print('bye')\n", "d1", "v1"), path: programPath, status: output.StaleGenerator, cause: "garnix2gha v1 wrote it"},
		{name: "a program without our header is foreign", change: replace(programPath, "# Generated", "# Made"), path: programPath, status: output.Foreign},

		{name: "targets.json is current", path: output.Targets, status: output.Current},
		{name: "targets.json may be formatted", change: replace(output.Targets, "\n", ""), path: output.Targets, status: output.Current},
		{name: "another version alone changes no file", was: generated(t, body, program, "d1", "v1"), path: output.Targets, status: output.Current},
		{name: "another version is named when it changed another", was: generated(t, body, "print('bye')\n", "d1", "v1"), path: output.Targets, status: output.StaleGenerator},
		{name: "an edited targets.json is an edit", change: replace(output.Targets, "a = b", "a = c"), path: output.Targets, status: output.Edited, cause: "somebody changed it"},
		{name: "hushing a change of the inputs is an edit", was: generated(t, body, program, "d0", "v2"), change: replace(output.Targets, `"d0"`, `"d9"`), path: output.Targets, status: output.Edited},
		{name: "a broken targets.json is an edit", change: replace(output.Targets, "{", ""), path: output.Targets, status: output.Edited, cause: "not JSON"},
		{name: "a targets.json of somebody else is foreign", change: func(files map[string][]byte) { files[output.Targets] = []byte("{}") }, path: output.Targets, status: output.Foreign},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			was := tc.was
			if was == nil {
				was = fresh
			}
			files := disk(was)
			if tc.change != nil {
				tc.change(files)
			}
			for _, change := range output.Compare(fresh, files) {
				if change.Path != tc.path {
					continue
				}
				assert.Equal(t, tc.status, change.Status, change.Cause)
				assert.Contains(t, change.Cause, tc.cause)
				assert.Equal(t, tc.status == output.Edited, change.Edited)
				fine := tc.status == output.Current || tc.status == output.PinsMoved
				assert.Equal(t, fine, change.Status.OK(true))
				assert.Equal(t, fine || tc.status == output.StaleGenerator, change.Status.OK(false))
				return
			}
			t.Errorf("%s is not compared", tc.path)
		})
	}
}

func TestCompareFindsMissingOrphanedAndForeignFiles(t *testing.T) {
	t.Parallel()
	fresh := generated(t, body, "", "d", "v")
	old, err := output.Workflow("old.yml", []byte(body))
	require.NoError(t, err)
	changes := output.Compare(fresh[:1], map[string][]byte{
		old.Path: old.Data, ".github/workflows/theirs.yml": []byte("name: x\n"),
		programPath: fresh[1].Data, output.Targets: fresh[2].Data,
		output.Programs + "/json.py": []byte("print()\n"), output.Programs + "/__pycache__/plan.cpython-312.pyc": {},
	})
	got := map[string]output.Status{}
	for _, change := range changes {
		got[change.Path] = change.Status
		assert.Equal(t, change.Path == path, change.New != nil)
		assert.False(t, change.Edited)
	}
	assert.Equal(t, map[string]output.Status{
		path: output.Missing, old.Path: output.Orphan, programPath: output.Orphan, output.Targets: output.Orphan,
		output.Programs + "/json.py": output.Foreign, output.Programs + "/__pycache__/plan.cpython-312.pyc": output.Foreign,
	}, got)
}

func TestAnEditedOrphanIsKnown(t *testing.T) {
	t.Parallel()
	for _, file := range generated(t, body, "", "d", "v") {
		if file.Path == programPath {
			continue
		}
		edited := strings.NewReplacer("hello", "bye", "a = b", "a = c").Replace(string(file.Data))
		for content, want := range map[string]bool{string(file.Data): false, edited: true} {
			changes := output.Compare(nil, map[string][]byte{file.Path: []byte(content)})
			require.Len(t, changes, 1)
			assert.Equal(t, want, changes[0].Edited, file.Path)
		}
	}
}

// What a bot moved stays, whatever else has to be written anew; what is older than our own does not.
func TestBumpedPinsAreKept(t *testing.T) {
	t.Parallel()
	fresh := generated(t, body, "", "d1", "v")
	for _, tc := range []struct {
		name, version string
		kept          bool
	}{{"a newer one", "v7.0.2", true}, {"a newer one by more digits", "v10", true}, {"the same version at another commit", "v7.0.1", true}, {"an older one", "v6.9.9", false}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			was := disk(generated(t, strings.Replace(body, "hello", "bye", 1), "", "d0", "v"))
			was[path] = []byte(strings.Replace(string(was[path]), "3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", strings.Repeat("b", 40)+" # "+tc.version, 1))
			for _, change := range output.Compare(fresh, was) {
				if change.Path == path {
					assert.Equal(t, output.StaleInputs, change.Status)
					assert.Equal(t, tc.kept, strings.Contains(string(change.New), "checkout@"+strings.Repeat("b", 40)+" # "+tc.version+"\n"), "%s", change.New)
					again := output.Compare(fresh, map[string][]byte{path: change.New, programPath: fresh[1].Data, output.Targets: fresh[2].Data})
					for _, change := range again {
						assert.True(t, change.Status.OK(true), "%s: %s", change.Path, change.Cause)
					}
				}
			}
		})
	}
}

// A file that is not ours says nothing about ours.
func TestPinsOfForeignFilesAreNotTaken(t *testing.T) {
	t.Parallel()
	fresh := generated(t, body, "", "d1", "v")
	foreign := strings.Replace(body, "3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", strings.Repeat("b", 40)+" # v9", 1)
	for _, change := range output.Compare(fresh, map[string][]byte{path: []byte(foreign)}) {
		if change.Path == path {
			assert.Equal(t, output.Foreign, change.Status)
			assert.Equal(t, string(fresh[0].Data), string(change.New))
		}
	}
}

func TestTheHeaderIsShortAndNamesTheCommand(t *testing.T) {
	t.Parallel()
	file, err := output.Workflow("n.yml", []byte(body))
	require.NoError(t, err)
	head, _, found := strings.Cut(string(file.Data), "name: N\n")
	require.True(t, found)
	assert.LessOrEqual(t, strings.Count(head, "\n"), 3)
	assert.Contains(t, head, "garnix2gha generate")
	program := string(output.Program("plan.py", []byte("\"\"\"Doc.\"\"\"\n")).Data)
	for _, line := range []string{"# SPDX-License-Identifier: MIT-0\n", "# fmt: off\n", "# flake8: noqa\n"} {
		assert.Contains(t, program, line)
	}
	assert.NotContains(t, string(output.Program("outputs.nix.txt", nil).Data), "fmt:")
	assert.Contains(t, string(output.Attributes().Data), "\n* linguist-generated=true text eol=lf\n")
}

func TestEjectedFilesAreNobodys(t *testing.T) {
	t.Parallel()
	file, err := output.Workflow("n.yml", []byte(body))
	require.NoError(t, err)
	assert.Equal(t, body, string(output.Eject(file).Data))
	assert.False(t, output.Generated(output.Eject(file).Data))
	assert.Equal(t, "* text eol=lf\n", string(output.Eject(output.Attributes()).Data))
	program := output.Eject(output.Program("plan.py", []byte("print()\n")))
	assert.False(t, output.Generated(program.Data))
	assert.Contains(t, string(program.Data), "# fmt: off\n")
}

func TestJSONIsAsPrettierPrintsIt(t *testing.T) {
	t.Parallel()
	got, err := output.JSON(json.RawMessage(`{"b":{},"a":[],"n":1,"t":true,"z":null,"short":["a","b"],
		"edge":["` + strings.Repeat("x", 65) + `"],"over":["` + strings.Repeat("x", 66) + `"],"objects":[{"k":"\u2028é😀<&>"}],"nested":[[1]]}`))
	require.NoError(t, err)
	assert.Equal(t, `{
  "b": {},
  "a": [],
  "n": 1,
  "t": true,
  "z": null,
  "short": ["a", "b"],
  "edge": ["`+strings.Repeat("x", 65)+`"],
  "over": [
    "`+strings.Repeat("x", 66)+`"
  ],
  "objects": [
    {
      "k": "\u2028\u00e9\ud83d\ude00<&>"
    }
  ],
  "nested": [[1]]
}
`, string(got))
}

func TestPinsListsEachOnce(t *testing.T) {
	t.Parallel()
	want := []output.Pin{{Action: "actions/checkout", SHA: "3d3c42e5aac5ba805825da76410c181273ba90b1", Version: "v7.0.1"}}
	assert.Equal(t, want, output.Pins(output.File{Path: path, Data: []byte(body + body)}))
	assert.Equal(t, want, output.Pins(output.File{Path: path, Data: []byte(strings.ReplaceAll(strings.ReplaceAll(body, "uses: ", `uses: "`), " # v", `"  # v`))}), "quoted")
	assert.Empty(t, output.Pins(output.File{Path: programPath, Data: []byte(body)}), "a program pins nothing")
}

// What a run compares and what this program compares is the same by one table of cases.
func TestDigestCases(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.FromSlash("../../golden/testdata/cases/digest.json"))
	require.NoError(t, err)
	var cases []struct{ Name, Path, Text, Digest string }
	require.NoError(t, json.Unmarshal(content, &cases))
	require.NotEmpty(t, cases)
	for _, tc := range cases {
		assert.Equal(t, tc.Digest, output.Digest(tc.Path, []byte(tc.Text)), tc.Name)
	}
}

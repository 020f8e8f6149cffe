package output_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
)

const (
	checkout = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
	upload   = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0"
	pinning  = `name: N

on: push

jobs:
  a:
    steps:
      - name: C
        uses: ` + checkout + `
        with:
          persist-credentials: false
      - name: U
        uses: ` + upload + `
  b:
    steps:
      - name: C
        uses: ` + checkout + `
      - name: S
        run: |
          echo hello
          uses: ` + checkout + `
`
)

var (
	newCheckout = "actions/checkout@" + strings.Repeat("a", 40)
	newUpload   = "actions/upload-artifact@" + strings.Repeat("b", 40)
)

// changed returns the change of the one workflow, by the repository's files and what would be written now.
func changed(t *testing.T, fresh []output.File, disk map[string][]byte) output.Change {
	t.Helper()
	for _, change := range output.Compare(fresh, disk) {
		if change.Path == path {
			return change
		}
	}
	t.Fatal("the workflow is not compared")
	return output.Change{}
}

// What Dependabot and Renovate make of a workflow passes, and stays when the workflow has to be written anew.
func TestWhatBotsWriteIsKept(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change []string // pairs of old and new
		cause  string
		kept   []string // lines of what is written anew
	}{
		{"a grouped update of several actions", []string{checkout, newCheckout + " # v8.0.0", upload, newUpload + " # v7.0.1"},
			"actions/checkout@aaaaaaaaaaaa v8.0.0, actions/upload-artifact@bbbbbbbbbbbb v7.0.1", []string{newCheckout + " # v8.0.0", newUpload + " # v7.0.1"}},
		{"a digest, as the tag moved", []string{checkout, newCheckout + " # v7.0.1"}, "actions/checkout@aaaaaaaaaaaa v7.0.1", []string{newCheckout + " # v7.0.1", upload}},
		{"a major alone", []string{checkout, newCheckout + " # v8"}, "v8", []string{newCheckout + " # v8"}},
		{"a major alone, of the version", []string{checkout, newCheckout + " # v7"}, "v7", []string{newCheckout + " # v7"}},
		{"a version without v", []string{checkout, newCheckout + " # 8.1.2"}, "8.1.2", []string{newCheckout + " # 8.1.2"}},
		{"without a blank", []string{checkout, newCheckout + " #v8.1.2"}, "v8.1.2", []string{newCheckout + " # v8.1.2"}},
		{"with blanks", []string{checkout, newCheckout + "  #   v8.1.2\t"}, "v8.1.2", []string{newCheckout + " # v8.1.2"}},
		{"@", []string{checkout, newCheckout + " # @v8.1.2"}, "v8.1.2", []string{newCheckout + " # v8.1.2"}},
		{"pin @", []string{checkout, newCheckout + " # pin @v8.1.2"}, "v8.1.2", []string{newCheckout + " # v8.1.2"}},
		{"tag=", []string{checkout, newCheckout + " # tag=v8.1.2"}, "v8.1.2", []string{newCheckout + " # v8.1.2"}},
		{"renovate: tag=", []string{checkout, newCheckout + " # renovate: tag=v8"}, "v8", []string{newCheckout + " # v8"}},
		{"renovate: pin", []string{checkout, newCheckout + " # renovate: pin v8"}, "v8", []string{newCheckout + " # v8"}},
		{"ratchet", []string{checkout, newCheckout + " # ratchet:actions/checkout@v8"}, "v8", []string{newCheckout + " # v8"}},
		{"a note behind the version", []string{checkout, newCheckout + " # v8.1.2 - mind the gap"}, "v8.1.2", []string{newCheckout + " # v8.1.2"}},
		{"a branch", []string{checkout, newCheckout + " # main"}, "main", []string{newCheckout + " # main"}},
		{"a note that names another version", []string{checkout, newCheckout + " # versions before v2.1.0 are unsafe"}, "aaaaaaaaaaaa", []string{newCheckout}},
		{"no comment", []string{checkout, newCheckout}, "aaaaaaaaaaaa", []string{newCheckout}},
		{"double quotes", []string{"uses: " + checkout, `uses: "` + newCheckout + `" # v8`}, "v8", []string{newCheckout + " # v8"}},
		{"single quotes", []string{"uses: " + checkout, "uses: '" + newCheckout + "' # v8"}, "v8", []string{newCheckout + " # v8"}},
		{"braces", []string{"- name: U\n        uses: " + upload, `- { name: U, "uses": "` + newUpload + `" } # v8`}, "v8", []string{newUpload + " # v8"}},
		{"one use of two", []string{"        with:\n", "\n        with:\n", checkout + "\n\n", newCheckout + " # v8\n\n"}, "v8", []string{newCheckout + " # v8"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			steps, script, _ := strings.Cut(pinning, "      - name: S\n")
			moved := steps
			for i := 0; i < len(tc.change); i += 2 {
				require.Contains(t, moved, tc.change[i])
				moved = strings.ReplaceAll(moved, tc.change[i], tc.change[i+1])
			}
			bump := func(files map[string][]byte) map[string][]byte {
				was := string(files[path])
				require.Contains(t, was, steps)
				files[path] = []byte(strings.Replace(was, steps, moved, 1))
				return files
			}
			fresh := generated(t, steps+"      - name: S\n"+script, "", "d1", "v")
			change := changed(t, fresh, bump(disk(fresh)))
			assert.Equal(t, output.PinsMoved, change.Status, change.Cause)
			assert.Contains(t, change.Cause, tc.cause)

			other := strings.Replace(script, "hello", "bye", 1)
			change = changed(t, fresh, bump(disk(generated(t, steps+"      - name: S\n"+other, "", "d0", "v"))))
			assert.Equal(t, output.StaleInputs, change.Status, change.Cause)
			for _, line := range tc.kept {
				assert.Contains(t, string(change.New), "uses: "+line+"\n")
			}
			assert.Contains(t, string(change.New), "          uses: "+checkout+"\n", "a script is no pin")
			again := disk(fresh)
			again[path] = change.New
			change = changed(t, fresh, again)
			assert.Equal(t, output.PinsMoved, change.Status, change.Cause)
		})
	}
}

// Pins go up and never down, whoever of bot and program is ahead.
func TestPinsGoUpAndNeverDown(t *testing.T) {
	t.Parallel()
	steps, _, _ := strings.Cut(pinning, "      - name: S\n")
	at := func(pin string) []output.File {
		return generated(t, strings.ReplaceAll(steps, checkout, pin), "", "d", "v")
	}
	committed := at(newCheckout + " # v7.9.0")

	older := changed(t, at(checkout), disk(committed))
	assert.Equal(t, output.PinsMoved, older.Status)
	assert.Equal(t, string(committed[0].Data), string(older.New))

	ahead := at("actions/checkout@" + strings.Repeat("c", 40) + " # v7.10.0")
	newer := changed(t, ahead, disk(committed))
	assert.Equal(t, output.StaleGenerator, newer.Status)
	assert.Equal(t, string(ahead[0].Data), string(newer.New))
}

// A workflow that is new, or has another name, begins with the pins of the others.
func TestMovedPinsReachNewWorkflows(t *testing.T) {
	t.Parallel()
	fresh := generated(t, pinning, "", "d", "v")
	old, err := output.Workflow("old.yml", []byte(strings.Replace(strings.Replace(pinning, checkout, newCheckout+" # v8", 1), upload, newUpload+" # v6.9", 1)))
	require.NoError(t, err)
	missing := changed(t, fresh, map[string][]byte{old.Path: old.Data})
	assert.Equal(t, output.Missing, missing.Status)
	assert.Equal(t, 2, strings.Count(string(missing.New), newCheckout+" # v8\n"))
	assert.Contains(t, string(missing.New), upload)
	foreign := changed(t, fresh, map[string][]byte{old.Path: []byte(pinning + "# " + newCheckout)})
	assert.Equal(t, string(fresh[0].Data), string(foreign.New))
}

// What surely is older is raised, what surely is not spreads, and what cannot be compared stays where it stands.
func TestOnlyVersionsThatCanBeComparedSpread(t *testing.T) {
	t.Parallel()
	for comment, want := range map[string]struct {
		status  output.Status
		spreads bool
	}{
		"v7.0.2": {output.PinsMoved, true}, "7.0.2-rc1": {output.PinsMoved, true}, "V8": {output.PinsMoved, true}, "tag: v7.0.2": {output.PinsMoved, true},
		"v7.0.1+build": {output.PinsMoved, true}, "v99999999999999999999.0": {output.PinsMoved, true},
		"v7.0.1-rc1": {output.StaleGenerator, false}, "v7.0.0-rc1": {output.StaleGenerator, false}, "V1": {output.StaleGenerator, false},
		"tag: v1.0.0": {output.StaleGenerator, false}, "v00000000000000000000006.9": {output.StaleGenerator, false},
		"checkout-v1.0.0": {output.PinsMoved, false}, "2024-01-01": {output.PinsMoved, false}, "v8-rc1": {output.PinsMoved, false},
		"v8.x": {output.PinsMoved, false}, "main": {output.PinsMoved, false}, "": {output.PinsMoved, false},
	} {
		t.Run(comment, func(t *testing.T) {
			t.Parallel()
			fresh := generated(t, pinning, "", "d1", "v")
			steps, _, _ := strings.Cut(pinning, "      - name: S\n")
			pin := strings.TrimSuffix(newCheckout+" # "+comment, " # ")
			files := disk(generated(t, strings.ReplaceAll(steps, checkout, pin), "", "d1", "v"))
			assert.Equal(t, want.status, changed(t, generated(t, steps, "", "d1", "v"), files).Status)

			other, err := output.Workflow("a.yml", files[path]) // so that it comes first
			require.NoError(t, err)
			spread := changed(t, fresh, map[string][]byte{other.Path: other.Data})
			assert.Equal(t, want.spreads, strings.Contains(string(spread.New), newCheckout), "%s", spread.New)
			moved, loose := output.Moved(output.Pins(fresh...), map[string][]byte{other.Path: other.Data})
			assert.Equal(t, want.spreads, len(moved) == 1)
			assert.Equal(t, want.status == output.PinsMoved && !want.spreads, len(loose) == 1)
		})
	}
}

// Whether v8 or v8.1.0 is newer nobody knows, so neither takes the other's place.
func TestMovedPinsThatCannotBeComparedStay(t *testing.T) {
	t.Parallel()
	fresh := generated(t, pinning, "", "d1", "v")
	precise := "actions/checkout@" + strings.Repeat("9", 40) + " # v8.1.0"
	files := disk(generated(t, strings.ReplaceAll(strings.ReplaceAll(pinning, checkout, precise), "hello", "bye"), "", "d0", "v"))
	other, err := output.Workflow("a.yml", []byte(strings.ReplaceAll(pinning, checkout, newCheckout+" # v8")))
	require.NoError(t, err)
	files[other.Path] = other.Data
	assert.Equal(t, 2, strings.Count(string(changed(t, fresh, files).New), "        uses: "+precise+"\n"))
}

func TestTheNewestOfSeveralPinsSpreads(t *testing.T) {
	t.Parallel()
	fresh := generated(t, pinning, "", "d1", "v")
	files, newest := map[string][]byte{}, "actions/checkout@"+strings.Repeat("9", 40)+" # v10.0.0"
	for name, pin := range map[string]string{
		"a.yml": newCheckout, "b.yml": newCheckout + " # 2024-01-01", "c.yml": newCheckout + " # v9.9.9", "d.yml": newest, "e.yml": newCheckout + " # v10.0.0-rc2",
	} {
		file, err := output.Workflow(name, []byte(strings.ReplaceAll(pinning, checkout, pin)))
		require.NoError(t, err)
		files[file.Path] = file.Data
	}
	assert.Equal(t, 2, strings.Count(string(changed(t, fresh, files).New), "        uses: "+newest+"\n"))
}

// A use without a version keeps its commit, and the uses beside it keep theirs.
func TestAPinWithoutAVersionStaysWhereItStands(t *testing.T) {
	t.Parallel()
	fresh := generated(t, pinning, "", "d1", "v")
	files := disk(generated(t, strings.Replace(pinning, "hello", "bye", 1), "", "d0", "v"))
	first, second, _ := strings.Cut(string(files[path]), "  b:\n")
	files[path] = []byte(first + "  b:\n" + strings.Replace(second, checkout, newCheckout, 1))
	change := changed(t, fresh, files)
	assert.Equal(t, output.StaleInputs, change.Status)
	first, second, _ = strings.Cut(string(change.New), "  b:\n")
	assert.Contains(t, first, "        uses: "+checkout+"\n")
	assert.Contains(t, second, "        uses: "+newCheckout+"\n")
}

// An edit that looks like a bot's is an edit.
func TestWhatIsNoPinIsAnEdit(t *testing.T) {
	t.Parallel()
	fresh := generated(t, pinning, "", "d", "v")
	for name, change := range map[string][]string{
		"a tag":                       {"uses: " + checkout, "uses: actions/checkout@v8"},
		"a short commit":              {"uses: " + checkout, "uses: actions/checkout@3d3c42e"},
		"a commit in capitals":        {"3d3c42e5aac5ba805825da76410c181273ba90b1", "3D3C42E5AAC5BA805825DA76410C181273BA90B1"},
		"a branch":                    {"uses: " + checkout, "uses: actions/checkout@main # v7.0.1"},
		"another action":              {"uses: actions/checkout@", "uses: evil/checkout@"},
		"another path":                {"uses: actions/checkout@", "uses: actions/checkout/x@"},
		"a commit in a script":        {"          uses: " + checkout, "          uses: " + newCheckout + " # v8"},
		"an input along with the pin": {checkout + "\n        with:\n          persist-credentials: false", newCheckout + " # v8\n        with:\n          persist-credentials: true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := disk(fresh)
			require.Contains(t, string(files[path]), change[0])
			files[path] = []byte(strings.ReplaceAll(string(files[path]), change[0], change[1]))
			assert.Equal(t, output.Edited, changed(t, fresh, files).Status)
		})
	}
}

func TestContradictionsNameBoth(t *testing.T) {
	t.Parallel()
	known := output.Pin{Action: "actions/checkout", SHA: "3d3c42e5aac5ba805825da76410c181273ba90b1", Version: "v7.0.1"}
	ours := "a/b@" + strings.Repeat("1", 40)
	theirs := "a/b@" + strings.Repeat("2", 40)
	for _, tc := range []struct {
		name        string
		first, then string // the pins of two workflows
		want        string
	}{
		{"what is known", "actions/checkout@" + known.SHA + " # " + known.Version, "actions/checkout@" + known.SHA + " # tag=" + known.Version, ""},
		{"a version that is known by another commit", newCheckout + " # " + known.Version, ours,
			".github/workflows/1.yml:4:13: actions/checkout@aaaaaaaaaaaa is v7.0.1 by its comment, but what garnix2gha would write has 3d3c42e5aac5 as v7.0.1 [pin-mismatch]"},
		{"a commit that is known by another version", "actions/checkout@" + known.SHA + " # v999", ours, "@3d3c42e5aac5 is v999 by its comment, but what garnix2gha would write has 3d3c42e5aac5 as v7.0.1"},
		{"a commit that is known, by its major", "actions/checkout@" + known.SHA + " # " + strings.Split(known.Version, ".")[0], ours, ""},
		{"two commits of one version", ours + " # v1.2", theirs + " # pin @1.2",
			".github/workflows/2.yml:4:13: a/b@222222222222 is 1.2 by its comment, but .github/workflows/1.yml:4:13 has 111111111111 as v1.2 [pin-mismatch]"},
		{"a version in capitals", newCheckout + " # V7.0.1", ours, "actions/checkout@aaaaaaaaaaaa is V7.0.1 by its comment"},
		{"a candidate and its release", ours + " # v1.2.0-rc1", ours + " # v1.2.0", "111111111111 is v1.2.0 by its comment"},
		{"two versions of one commit", ours + " # v1.2", ours + " # v1.3", "111111111111 is v1.3 by its comment, but .github/workflows/1.yml:4:13 has 111111111111 as v1.2"},
		{"two commits of two versions", ours + " # v1.2", theirs + " # v1.3", ""},
		{"versions of several lengths", ours + " # v1", ours + " # v1.3", ""},
		{"no version", ours, theirs, ""},
		{"a branch", ours + " # main", ours + " # v1", ""},
		{"paths of one action", strings.Replace(ours, "@", "/x@", 1) + " # v1", strings.Replace(theirs, "@", "/y@", 1) + " # v1", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			files := map[string][]byte{}
			for name, pin := range map[string]string{"1.yml": tc.first, "2.yml": tc.then} {
				files[output.Path(name)] = []byte("# Generated by garnix2gha\njobs:\n  a:\n    - uses: " + pin + "\n    - uses: " + pin + "\n")
			}
			for _, severity := range []diag.Severity{diag.Warning, diag.Error} {
				got := output.Contradictions(files, []output.Pin{known}, severity)
				if tc.want == "" {
					assert.Empty(t, got)
					continue
				}
				require.Len(t, got, 1)
				assert.Contains(t, got[0].String(), tc.want)
				assert.Equal(t, severity, got[0].Severity)
				assert.NotEmpty(t, got[0].Hint)
			}
		})
	}
	assert.Empty(t, output.Contradictions(map[string][]byte{
		".github/workflows/theirs.yml": []byte("jobs:\n  a:\n    steps:\n      - uses: " + newCheckout + " # " + known.Version + "\n"),
		output.Programs + "/x.yml":     []byte("# Generated by garnix2gha\nuses: " + newCheckout + " # " + known.Version + "\n"),
	}, []output.Pin{known}, diag.Error), "the pins of others are theirs")
}

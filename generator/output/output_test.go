package output_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/output"
)

const (
	body = "name: N\n\njobs:\n  a:\n    steps:\n      - name: C\n        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1\n      - run: |\n          echo hello\n"
	path = ".github/workflows/n.yml"
)

func stamped(t *testing.T, body, digest string) []byte {
	t.Helper()
	out, err := output.Stamp([]byte(body), []output.Input{{Path: "garnix.yaml", Digest: digest}})
	require.NoError(t, err)
	return out
}

func TestCompareNamesTheCause(t *testing.T) {
	t.Parallel()
	fresh := string(stamped(t, body, "d1"))
	bump := strings.NewReplacer("3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", strings.Repeat("a", 40)+" # v8")
	for _, tc := range []struct {
		name, disk string
		status     output.Status
		cause      string
	}{
		{name: "the same bytes are current", disk: fresh, status: output.Current},
		{name: "a checkout with CRLF is current", disk: strings.ReplaceAll(fresh, "\n", "\r\n"), status: output.Current},
		{name: "a changed line is an edit", disk: strings.Replace(fresh, "hello", "bye", 1), status: output.Edited, cause: "somebody changed it"},
		{name: "a changed header is an edit", disk: strings.Replace(fresh, "do not edit", "do edit", 1), status: output.Edited, cause: "its header"},
		{name: "an unreadable header is an edit", disk: strings.Replace(fresh, `{"inputs"`, `{"inputs`, 1), status: output.Edited, cause: "can not be read"},
		{name: "another garnix.yaml is stale", disk: string(stamped(t, strings.Replace(body, "hello", "bye", 1), "d0")), status: output.StaleInputs, cause: "garnix.yaml changed"},
		{name: "an edit of a stale file is an edit, and stale", disk: strings.Replace(string(stamped(t, body, "d0")), "hello", "bye", 1), status: output.Edited, cause: "garnix.yaml changed"},
		{name: "another rendering of the same inputs is the generator's", disk: string(stamped(t, strings.Replace(body, "hello", "bye", 1), "d1")), status: output.StaleGenerator},
		{name: "a bumped pin passes", disk: bump.Replace(fresh), status: output.PinsMoved, cause: "actions/checkout@aaaaaaaaaaaa v8"},
		{name: "a bumped pin in a CRLF checkout passes", disk: strings.ReplaceAll(bump.Replace(fresh), "\n", "\r\n"), status: output.PinsMoved},
		{name: "a pin replaced by a tag is an edit", disk: strings.Replace(fresh, "@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v8", 1), status: output.Edited},
		{name: "a pin of another action is an edit", disk: strings.Replace(fresh, "actions/checkout@", "evil/checkout@", 1), status: output.Edited},
		{name: "a bumped pin beside another edit is an edit", disk: strings.Replace(bump.Replace(fresh), "hello", "bye", 1), status: output.Edited},
		{name: "a file without our header is foreign", disk: "name: mine\n", status: output.Foreign},
		{name: "an empty file is foreign", disk: "", status: output.Foreign},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			changes := output.Compare([]output.File{{Path: path, Data: []byte(fresh)}}, map[string][]byte{path: []byte(tc.disk)})
			require.Len(t, changes, 1)
			assert.Equal(t, tc.status, changes[0].Status, changes[0].Cause)
			assert.Contains(t, changes[0].Cause, tc.cause)
			assert.Equal(t, tc.status == output.Current || tc.status == output.PinsMoved, changes[0].Status.OK())
		})
	}
}

func TestCompareFindsMissingAndOrphanedFiles(t *testing.T) {
	t.Parallel()
	changes := output.Compare(
		[]output.File{{Path: path, Data: stamped(t, body, "d")}},
		map[string][]byte{".github/workflows/old.yml": stamped(t, body, "d"), ".github/workflows/theirs.yml": []byte("name: x\n")},
	)
	require.Len(t, changes, 2)
	assert.Equal(t, output.Missing, changes[0].Status)
	assert.Equal(t, output.Orphan, changes[1].Status)
	assert.Equal(t, ".github/workflows/old.yml", changes[1].Path)
}

func TestAnEditedOrphanIsKnown(t *testing.T) {
	t.Parallel()
	edited := append(stamped(t, body, "d"), "# mine\n"...)
	for content, want := range map[string]bool{string(stamped(t, body, "d")): false, string(edited): true} {
		changes := output.Compare(nil, map[string][]byte{path: []byte(content)})
		require.Len(t, changes, 1)
		assert.Equal(t, want, changes[0].Edited)
	}
}

func TestStampKeepsAHostilePathOnItsLine(t *testing.T) {
	t.Parallel()
	out, err := output.Stamp([]byte(body), []output.Input{{Path: "a\nrun: evil", Digest: "d"}})
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "name:") {
			break
		}
		assert.True(t, strings.HasPrefix(line, "#") || line == "\n", line)
	}
}

func TestPinsListsEachOnce(t *testing.T) {
	t.Parallel()
	assert.Equal(t,
		[]output.Pin{{Action: "actions/checkout", SHA: "3d3c42e5aac5ba805825da76410c181273ba90b1", Version: "v7.0.1"}},
		output.Pins([]byte(body+body)))
}

package flake_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

const lockText = `{
  "version": 1,
  "outputs": {
    "nixosConfigurations": ["web", "db", "web"],
    "packages": {"x86_64-linux": ["b", "a"], "riscv64-linux": ["r"], "aarch64-linux": []},
    "devShell": ["x86_64-linux", "aarch64-darwin"],
    "apps": {"x86_64-linux": {"type": "app"}},
    "legacyPackages": 7
  },
  "systems": {"nixosConfigurations.web": "aarch64-linux"},
  "garnixConfig": { "builds": [ ] },
  "errors": {"checks.aarch64-darwin": "no <mac> today"}
}
`

func TestDecodeLockReadsWhatGarnixListed(t *testing.T) {
	t.Parallel()
	lock, diags := flake.DecodeLock("lock.json", []byte(lockText))
	require.Empty(t, diags)
	assert.Equal(t, []string{"db", "web"}, lock.Outputs["nixosConfigurations"][""])
	assert.Equal(t, []string{"a", "b"}, lock.Outputs["packages"][flake.X8664Linux])
	assert.Equal(t, map[flake.System][]string{flake.AArch64Darwin: {""}, flake.X8664Linux: {""}}, lock.Outputs["devShell"])
	assert.Equal(t, flake.AArch64Linux, lock.Systems["nixosConfigurations.web"])
	assert.JSONEq(t, `{"builds":[]}`, string(lock.GarnixConfig))
	assert.Equal(t, []string{"checks.aarch64-darwin"}, slices.Sorted(maps.Keys(lock.Errors)))

	var paths []string
	for _, p := range lock.Paths() {
		paths = append(paths, p.String())
	}
	assert.Equal(t, []string{
		"nixosConfigurations.db", "nixosConfigurations.web",
		"packages.x86_64-linux.a", "packages.x86_64-linux.b",
		"devShell.x86_64-linux", "devShell.aarch64-darwin",
	}, paths, "garnix's order, without systems it did not support")
}

func TestLockFailureIsThatOfAPart(t *testing.T) {
	t.Parallel()
	lock, diags := flake.DecodeLock("lock.json", []byte(`{"version":1,"errors":{"checks":"a","checks.i686-linux":"b","packages.aarch64-darwin":"",
		"packages.x86_64-linux.hello":"c","nixosConfigurations.web":"d","homeConfigurations":"e","devShell.x86_64-linux":"f"}}`))
	require.Empty(t, diags)
	var got []string
	for _, family := range flake.Families() {
		for _, system := range family.Systems() {
			if key := lock.Failure(family, system); key != "" {
				got = append(got, string(family)+" "+string(system)+": "+key)
			}
		}
	}
	assert.Equal(t, []string{
		"homeConfigurations : homeConfigurations", "packages aarch64-darwin: packages.aarch64-darwin",
		"checks x86_64-linux: checks", "checks aarch64-darwin: checks", "checks aarch64-linux: checks", "checks x86_64-darwin: checks", "checks i686-linux: checks",
		"devShell x86_64-linux: devShell.x86_64-linux",
	}, got)
	assert.Empty(t, flake.Family("apps").Systems(), "garnix never listed it")
}

func TestDecodeLockTellsNoGarnixConfigFromNull(t *testing.T) {
	t.Parallel()
	absent, diags := flake.DecodeLock("lock.json", []byte(`{"version":1}`))
	require.Empty(t, diags)
	assert.Nil(t, absent.GarnixConfig)
	null, diags := flake.DecodeLock("lock.json", []byte(`{"version":1,"garnixConfig":null}`))
	require.Empty(t, diags)
	assert.Equal(t, json.RawMessage("null"), null.GarnixConfig)
}

func TestDecodeLockRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text, message string
		line, column        int
	}{
		{name: "an empty file", text: "", message: "not a lock"},
		{name: "a syntax error, with its place", text: "{\n  \"version\": x\n}", message: "not a lock", line: 2, column: 14},
		{name: "a second value", text: `{"version":1}{}`, message: "something follows"},
		{name: "a stray bracket after the value", text: `{"version":1}}`, message: "something follows"},
		{name: "another version", text: `{"version":2}`, message: "lock version 2 is not supported"},
		{name: "no version", text: `{}`, message: "lock version 0 is not supported"},
		{name: "null", text: `null`, message: "lock version 0 is not supported"},
		{name: "a list", text: `[]`, message: "not a lock"},
		{name: "a family of the wrong shape", text: `{"version":1,"outputs":{"packages":["a"]}}`, message: "outputs.packages"},
		{name: "hosts by system", text: `{"version":1,"outputs":{"nixosConfigurations":{"x86_64-linux":["a"]}}}`, message: "outputs.nixosConfigurations"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			lock, diags := flake.DecodeLock("lock.json", []byte(tc.text))
			assert.Nil(t, lock)
			require.NotEmpty(t, diags)
			assert.Equal(t, diag.Error, diags[0].Severity)
			assert.Equal(t, "lock-invalid", diags[0].Code)
			assert.Contains(t, diags[0].Message, tc.message)
			assert.NotEmpty(t, diags[0].Hint)
			if tc.line > 0 {
				assert.Equal(t, diag.Pos{File: "lock.json", Line: tc.line, Column: tc.column}, diags[0].Pos)
			}
		})
	}
}

func TestDecodeLockReportsEveryFamily(t *testing.T) {
	t.Parallel()
	_, diags := flake.DecodeLock("lock.json", []byte(`{"version":1,"outputs":{"packages":1,"checks":2}}`))
	assert.Len(t, diags, 2)
}

func TestEncodeIsStableAndReadable(t *testing.T) {
	t.Parallel()
	lock, diags := flake.DecodeLock("lock.json", []byte(lockText))
	require.Empty(t, diags)
	text, err := lock.Encode()
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(string(text), "}\n"))
	assert.Contains(t, string(text), "no <mac> today", "HTML is not escaped")
	assert.NotContains(t, string(text), "legacyPackages")
	again, diags := flake.DecodeLock("lock.json", text)
	require.Empty(t, diags)
	assert.Equal(t, lock, again)
}

func TestEncodeOfAnEmptyLock(t *testing.T) {
	t.Parallel()
	text, err := (&flake.Lock{}).Encode()
	require.NoError(t, err)
	assert.JSONEq(t, `{"version":1,"outputs":{}}`, string(text))
}

func TestEncodeRefusesAGarnixConfigThatIsNoJSON(t *testing.T) {
	t.Parallel()
	_, err := (&flake.Lock{GarnixConfig: json.RawMessage("{")}).Encode()
	assert.ErrorContains(t, err, "encode lock")
}

func FuzzDecodeLock(f *testing.F) {
	for _, seed := range []string{
		lockText, "", "{}", `{"version":1}`, `{"version":1,"garnixConfig":null}`, `{"version":1,"outputs":{"packages":null}}`,
		`{"version":1,"systems":{},"errors":{}}`, `{"version":1,"outputs":{"devShell":null,"checks":{"x":null}}}`, "{\"version\":1}\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		lock, diags := flake.DecodeLock("lock.json", src)
		require.Equal(t, diags.HasErrors(), lock == nil)
		if lock == nil {
			return
		}
		text, err := lock.Encode()
		require.NoError(t, err)
		again, diags := flake.DecodeLock("lock.json", text)
		require.Empty(t, diags)
		require.Equal(t, lock, again)
		lock.Paths()
	})
}

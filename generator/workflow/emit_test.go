package workflow_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"garnix2gha/generator/workflow"
)

func emit(t testing.TB, source string) string {
	t.Helper()
	out, err := workflow.Emit(decode(t, source).(map[string]any))
	require.NoError(t, err)
	return string(out)
}

func decode(t testing.TB, source string) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(source))
	decoder.UseNumber()
	var value any
	require.NoError(t, decoder.Decode(&value))
	return value
}

func TestEmitWritesAsAPersonWould(t *testing.T) {
	t.Parallel()
	got := emit(t, `{
		"jobs": {
			"checks": {"needs": ["build"], "runs-on": "x", "name": "After", "//name": "The name that\nrules want.", "steps": []},
			"build": {"steps": [
				{"run": "one\n\n  two\n", "name": "Run", "env": {"Z": "1", "A": "yes", "M": "a: b", "Q": "say \"it's\"", "E": "a\tb", "B": "${{ x || '' }}"}},
				{"uses": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "//name": "First.", "name": "Check out",
				 "with": {"//fetch-depth": "all of it", "fetch-depth": 0, "persist-credentials": false, "ref": "a", "path": ".b"}}
			], "name": "First", "//statuses": "dangling", "permissions": {"statuses": "write", "//statuses": "one per target"}, "if": "!(a == 'b')", "timeout-minutes": 1.5}
		},
		"on": {"workflow_dispatch": null, "push": {"//branches": "Not those of a queue.", "branches": ["**", "!x/**"],
			"paths": ["a-long-path/of/a-file", "another-long-path/of/another-file", "and-a-third-one", "b, c"]}},
		"name": "N", "permissions": {}
	}`)
	assert.Equal(t, `name: "N"

on:
  push:
    # Not those of a queue.
    branches: ["**", "!x/**"]
    paths:
      - a-long-path/of/a-file
      - another-long-path/of/another-file
      - and-a-third-one
      - b, c
  workflow_dispatch:

permissions: {}

jobs:
  build:
    name: First
    if: "!(a == 'b')"
    permissions:
      statuses: write # one per target
    timeout-minutes: 1.5
    steps:
      - name: Run
        env:
          A: "yes"
          B: ${{ x || '' }}
          E: "a\tb"
          M: "a: b"
          Q: say "it's"
          Z: "1"
        run: |
          one

            two
      # First.
      - name: Check out
        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          ref: a
          path: .b
          fetch-depth: 0 # all of it
          persist-credentials: false

  checks:
    # The name that
    # rules want.
    name: After
    needs: [build]
    runs-on: x
    steps: []
`, got)
}

// A comment is the overlay's text; whatever it holds, it stays one.
func TestEmitKeepsCommentsComments(t *testing.T) {
	t.Parallel()
	got := emit(t, `{"name": "x", "//name": "a\u2028b\r\nrun: evil\n\u0000", "on": "push", "//on": "x\u0085run: evil"}`)
	assert.Equal(t, "# a b\n# run: evil\n#\nname: x\n\non: push # x run: evil\n", strings.ReplaceAll(got, "# \n", "#\n"))
	var value map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(got), &value))
	assert.Equal(t, map[string]any{"name": "x", "on": "push"}, value)
}

func TestEmitOrdersJobsAsTheyRun(t *testing.T) {
	t.Parallel()
	got := emit(t, `{"jobs":{"checks":{},"another":{},"build":{},"statuses":{},"plan":{}}}`)
	assert.Equal(t, "jobs:\n  plan: {}\n\n  build: {}\n\n  checks: {}\n\n  statuses: {}\n\n  another: {}\n", got)
}

func TestEmitShowsWhatTextHolds(t *testing.T) {
	t.Parallel()
	got := emit(t, `{"name": "a\u202eb", "run": "x\u202e\ny"}`)
	assert.Equal(t, "name: \"a\\u202Eb\"\n\nrun: \"x\\u202E\\ny\"\n", got)
}

// FuzzEmit holds that what is emitted decodes to the same value, whatever strings it holds.
func FuzzEmit(f *testing.F) {
	for _, seed := range []string{
		"", " ", "\n", "a\n", "a\n\n", " a\n b", "a \nb", "on", "No", "~", "null", "0x1f", "1e5", "1_000", "- x", "a: b", "x #y", "'", `"`,
		"${{ x }}", "\r\n", "\t", "\x00", "\u2028", "\ufeff", "🚀", "é", "|", ">", "%", "@a", "`", "*a", "&a", "!t", "{}", "[]", "? x", "---", "...",
		"a # b", "write # why", "x@3d3c42e5aac5ba805825da76410c181273ba90b1 # v1", "=", "<<", "2001-01-01", ".inf", "12:30:45", "\\",
	} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, key, text string) {
		if !utf8.ValidString(key) || !utf8.ValidString(text) || strings.HasPrefix(key, "//") || len(key) > 150 {
			t.Skip("Jsonnet gives text only, and YAML no longer keys; comments are dropped by decoding")
		}
		value := map[string]any{
			"jobs": map[string]any{
				"j": map[string]any{"steps": []any{map[string]any{"run": text, "env": map[string]any{key: text}}}, "x": []any{text}},
			},
			key: text,
		}
		out, err := workflow.Emit(value)
		require.NoError(t, err)
		var got any
		require.NoError(t, yaml.Unmarshal(out, &got), "%s", out)
		if key == "uses" {
			return // its value may carry a comment, which decoding drops
		}
		if key == "jobs" {
			value["jobs"] = text
		}
		assert.Equal(t, any(value), got, "%s", out)
	})
}

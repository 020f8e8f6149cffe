package config_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

func TestFlakeConfigSharesTheDecoder(t *testing.T) {
	t.Parallel()
	c, diags := config.ParseFlakeConfig("flake.nix", json.RawMessage(
		`{"fodChecks":true,"builds":[{"include":["packages.*"],"branch":"on"}],"unknown":null,"actions":[{"run":"a","on":"push"}]}`))
	require.NotNil(t, c, "%v", diags)
	assert.Equal(t, "flake.nix", c.File)
	assert.Equal(t, []string{"packages.*"}, texts(c.Sections[0].Include))
	assert.Equal(t, "on", *c.Sections[0].Branch, "JSON texts are not typed by their characters")
	assert.True(t, c.FODChecks)
	require.Len(t, diags, 1)
	diags = append(diags, diagnostics(config.Findings(c.Sections, nil))...)
	require.Len(t, diags, 3)
	for _, d := range diags {
		assert.Equal(t, diag.Pos{File: "flake.nix"}, d.Pos, "no line is invented")
		assert.NotContains(t, d.Message+d.Hint, "line")
	}
}

func TestFlakeConfigNullIsTheDefault(t *testing.T) {
	t.Parallel()
	c, diags := config.ParseFlakeConfig("flake.nix", json.RawMessage(`null`))
	require.NotNil(t, c)
	assert.Empty(t, diags)
	assert.True(t, c.Sections[0].IncludeIsDefault)
}

func TestFlakeConfigsThatDoNotDecode(t *testing.T) {
	t.Parallel()
	for text, code := range map[string]string{
		`[]`: "config-type", `{"builds":null}`: "config-null", `{"builds":{"include":["*"]}}`: "matcher-parts",
		`{"fodChecks":1}`: "config-type", ``: "json-syntax", `{}{}`: "json-syntax", `{"a":`: "json-syntax",
	} {
		c, diags := config.ParseFlakeConfig("flake.nix", json.RawMessage(text))
		assert.Nil(t, c, text)
		if assert.Len(t, diags, 1, text) {
			assert.Equal(t, code, diags[0].Code, text)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	yaml := []byte("flakeDir: from-file\n")
	lock := func(value string) *flake.Lock { return &flake.Lock{GarnixConfig: json.RawMessage(value)} }
	failed := &flake.Lock{Errors: map[string]string{"garnix.config": "error: no\nmore"}}
	type source struct {
		YAML []byte
		Lock *flake.Lock
	}
	tests := []struct {
		name     string
		source   source
		file     string // that was read; "-": no configuration
		flakeDir string
		codes    []string
		message  string
	}{
		{name: "nothing is the default", flakeDir: "."},
		{name: "a flake without the output and no file is the default", source: source{Lock: &flake.Lock{}}, flakeDir: "."},
		{name: "the file", source: source{YAML: yaml}, file: "garnix.yaml", flakeDir: "from-file"},
		{name: "an empty file is a file", source: source{YAML: []byte{}}, file: "garnix.yaml", flakeDir: "."},
		{name: "a flake without the output leaves the file", source: source{YAML: yaml, Lock: &flake.Lock{}}, file: "garnix.yaml", flakeDir: "from-file"},
		{name: "the flake", source: source{Lock: lock(`{"flakeDir":"from-flake"}`)}, file: "flake.nix", flakeDir: "from-flake"},
		{name: "the flake hides the file", source: source{YAML: yaml, Lock: lock(`{}`)}, file: "flake.nix", flakeDir: ".", codes: []string{"config-hidden"}, message: "garnix never read this file"},
		{name: "the flake hides a broken file", source: source{YAML: []byte("["), Lock: lock(`{}`)}, file: "flake.nix", flakeDir: ".", codes: []string{"config-hidden"}},
		{name: "null hides the file, too", source: source{YAML: yaml, Lock: lock(`null`)}, file: "flake.nix", flakeDir: ".", codes: []string{"config-hidden"}},
		{name: "a flake that does not decode leaves the file", source: source{YAML: yaml, Lock: lock(`{"builds":"x"}`)}, file: "garnix.yaml", flakeDir: "from-file", codes: []string{"flake-config-ignored"}, message: "used garnix.yaml: builds: expected"},
		{name: "a flake that does not decode leaves the default", source: source{Lock: lock(`{"builds":"x"}`)}, flakeDir: ".", codes: []string{"flake-config-ignored"}, message: "used its defaults"},
		{name: "a flake that does not evaluate leaves the file", source: source{YAML: yaml, Lock: failed}, file: "garnix.yaml", flakeDir: "from-file", codes: []string{"flake-config-ignored"}, message: `does not evaluate: "error: no\nmore"`},
		{name: "the reason is the first error", source: source{Lock: lock(`{"builds":[{"branch":""},1]}`)}, flakeDir: ".", codes: []string{"flake-config-ignored"}, message: "builds[1]: expected"},
		{name: "servers in the flake are no error", source: source{Lock: lock(`{"servers":[],"flakeDir":"x"}`)}, file: "flake.nix", flakeDir: "x"},
		{name: "a broken file is an error", file: "-", source: source{YAML: []byte("builds:\n")}, codes: []string{"config-null"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, diags := config.Resolve("garnix.yaml", tc.source.YAML, tc.source.Lock)
			var codes []string
			for _, d := range diags {
				codes = append(codes, d.Code)
				assert.Contains(t, d.Message, tc.message)
				assert.Equal(t, tc.file == "-", d.Severity == diag.Error)
			}
			assert.Equal(t, tc.codes, codes)
			if tc.file == "-" {
				assert.Nil(t, c)
				return
			}
			require.NotNil(t, c)
			assert.Equal(t, tc.file, c.File)
			assert.Equal(t, tc.flakeDir, c.FlakeDir)
		})
	}
}

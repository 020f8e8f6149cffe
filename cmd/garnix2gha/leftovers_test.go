package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/diag"
)

// requireTool skips a test for want of a program, which CI must have.
func requireTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed, and CI needs it", name)
	}
	t.Skipf("%s is not installed", name)
}

func TestLeftoversFindsTheNewCache(t *testing.T) {
	t.Parallel()
	const ownKey = "own.example.org-1:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="
	const stays = "extra-substituters = https://cache.garnix.io\nextra-trusted-public-keys = cache.garnix.io:CTFPyKSLcx5RMJKfLo5EEPUObbA78b0YQ2DTCJXqr9g=\n"
	swapped := func(url, key string) string {
		return "extra-substituters = " + url + "\nextra-trusted-public-keys = " + key + "\n"
	}
	for _, tc := range []struct {
		name, settings, variable string
		code                     int
		want, says               string
		asks                     bool // Cachix
	}{
		{name: "the settings know address and key", settings: "cache: {backend: nix, url: 'https://own.example.org', push-url: 's3://b', public-key: '" + ownKey + "'}\n",
			want: swapped("https://own.example.org", ownKey)},
		{name: "the settings name a Cachix cache, and Cachix knows its key", settings: "cache: {name: acme, url: 'https://acme.cachix.org'}\n",
			want: swapped("https://acme.cachix.org", cacheKey), asks: true},
		{name: "the environment names the cache", variable: "acme", want: swapped("SUBSTITUTER", cacheKey), asks: true},
		{name: "a cache of the settings without a key", settings: "cache: {backend: nix, url: 'https://own.example.org', push-url: 's3://b'}\n",
			says: "no public key of the new cache is known", want: "extra-substituters = https://own.example.org\n"},
		{name: "without any cache garnix's is only taken out", says: "no new cache is known", want: ""},
		{name: "a Cachix cache that is not there changes nothing", settings: "cache: {name: nobody, url: 'https://nobody.cachix.org'}\n", asks: true,
			code: exitFailure, want: stays, says: "hint: set cache.public-key in the settings"},
		{name: "a Cachix cache without a key changes nothing", settings: "cache: {name: keyless, url: 'https://keyless.cachix.org'}\n", asks: true,
			code: exitFailure, want: stays, says: "has no public key yet"},
		{name: "a token in the place of a name is not repeated", variable: accountToken, code: exitUsage, want: stays, says: "no name of a Cachix cache"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			substituter := newSubstituter(t, "").URL
			service := newCachix(t, substituter)
			service.caches["keyless"] = map[string]any{"name": "keyless", "uri": "https://keyless.cachix.org", "isPublic": true, "publicSigningKeys": []string{}}
			env := service.env("")
			env[nameVariable] = tc.variable
			files := map[string]string{"flake.nix": "{ }\n", "nix.conf": stays}
			if tc.settings != "" {
				files[".github/garnix2gha/config.yaml"] = tc.settings
			}
			dir := committed(t, files)
			dry := invocation{env: env}.run(t, "-C", dir, "leftovers", "--fix", "--dry-run")
			assert.Equal(t, tc.code, dry.code, dry.stderr)
			assert.Empty(t, shell(t, dir, "git status --porcelain"), "a dry run writes nothing")
			got := invocation{env: env}.run(t, "-C", dir, "leftovers", "--fix")
			assert.Equal(t, tc.code, got.code, got.stderr)
			assert.Contains(t, got.stderr, tc.says)
			want := tc.want
			if tc.variable == "acme" {
				want = swapped(substituter, cacheKey)
			}
			content, err := os.ReadFile(dir + "/nix.conf")
			require.NoError(t, err)
			assert.Equal(t, want, string(content))
			service.mu.Lock()
			defer service.mu.Unlock()
			assert.Equal(t, tc.asks, len(service.log) > 0, "%v", service.log)
		})
	}
}

func TestPlaceIsNoCommandOfARunner(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"README.md":        "README.md:3:1",
		"::error::x":       "./::error::x:3:1",
		" ::error::x":      "./ ::error::x:3:1",
		"a\x1b[31m\nb":     "a\uFFFD[31m\uFFFDb:3:1",
		"##[error]x":       "#\uFFFD[error]x:3:1",
		"\u202etxt.garnix": "\uFFFDtxt.garnix:3:1",
	} {
		assert.Equal(t, want, place(diag.Pos{File: name, Line: 3, Column: 1}))
	}
}

func TestDiffOnATerminalKeepsItsLinesAndNothingElse(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "+a\tb\uFFFD[31m\uFFFD\n-c", diag.PrintableBut("+a\tb\x1b[31m\r\n-c", "\t\n"))
}

func TestNobodyIsAskedForACacheThatNothingNeeds(t *testing.T) {
	t.Parallel()
	service := newCachix(t, refused)
	env := service.env("")
	env[nameVariable] = "acme"
	dir := committed(t, map[string]string{"flake.nix": "{ }\n", "README.md": "[![b](https://garnix.io/api/badges/o/r)](https://garnix.io)\n"})
	got := invocation{env: env}.run(t, "-C", dir, "leftovers", "--fix")
	assert.Equal(t, exitFine, got.code, got.stderr)
	assert.Equal(t, "updated   README.md\n", got.stdout)
	assert.Empty(t, service.log)
}

// The new cache may be called after garnix, and then nothing of it is left over.
func TestTheNewCacheIsNoLeftover(t *testing.T) {
	t.Parallel()
	service := newCachix(t, refused)
	dir := committed(t, map[string]string{
		"flake.nix":                      "{ }\n",
		".github/garnix2gha/config.yaml": "cache: {name: my-garnix}\n",
		"nix.conf":                       "extra-substituters = https://my-garnix.cachix.org\nextra-trusted-public-keys = my-garnix.cachix.org-1:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=\n",
	})
	for _, args := range [][]string{{}, {"--fix"}} {
		got := invocation{env: service.env("")}.run(t, append([]string{"-C", dir, "leftovers"}, args...)...)
		assert.Equal(t, exitFine, got.code, got.stdout)
		assert.Contains(t, got.stderr, "kept      nix.conf (2 lines)")
	}
	assert.Empty(t, service.log, "nobody is asked")
}

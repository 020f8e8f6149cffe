package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/cachix"
)

const settingsFile = ".github/garnix2gha/config.yaml"

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if os.IsNotExist(err) {
		return ""
	}
	require.NoError(t, err)
	return string(text)
}

func TestCreateMakesACacheAndWritesItDown(t *testing.T) {
	t.Parallel()
	service := newCachix(t, "")
	world := invocation{env: service.env(accountToken)}
	dir := folder(t, map[string]string{settingsFile: "# ours\ncache:\n  private: false # for now\nstatuses: true\n"})

	made := world.run(t, "-C", dir, "cache", "create", "fresh", "--write")
	assert.Equal(t, exitFine, made.code, made.stderr)
	for _, text := range []string{
		"created cache fresh", settingsFile + " names it", `extra-substituters = [ "https://fresh.cachix.org" ];`, cacheKey,
		"leftovers --fix", "/cache/fresh, Settings, Auth Tokens", "garnix2gha secrets sync --token env:CACHIX_AUTH_TOKEN --apply", "commit the result: garnix2gha generate",
	} {
		assert.Contains(t, made.stdout, text)
	}
	assert.NotContains(t, made.stdout, "init --cache", "the settings name it already")
	assert.NotContains(t, made.stdout, "gh ")
	after := read(t, dir, settingsFile)
	assert.Equal(t, "# ours\ncache:\n  name: \"fresh\"\n  public-key: \""+cacheKey+"\"\n  private: false # for now\nstatuses: true\n", after)

	again := world.run(t, "-C", dir, "cache", "create", "fresh", "--write", "--format", "json")
	result := decoded[creationJSON](t, again)
	assert.Equal(t, exitFine, again.code)
	assert.Equal(t, cachix.Existed, result.Outcome)
	assert.Equal(t, settingsFile, result.Written)
	assert.Equal(t, 1, service.asked("POST /api/v1/cache/fresh"))
	assert.Equal(t, after, read(t, dir, settingsFile))
}

func TestCreateMakesAPrivateCacheWithoutARepository(t *testing.T) {
	t.Parallel()
	service := newCachix(t, "")
	got := invocation{env: service.env(accountToken + "\n")}.run(t,
		"-C", t.TempDir(), "cache", "create", "fresh", "--private", "--format", "json")
	assert.Equal(t, exitFine, got.code, got.stderr)
	made := decoded[creationJSON](t, got)
	assert.Equal(t, cachix.Private, made.Cache.Visibility)
	assert.Contains(t, made.Next[0], "garnix2gha init --cache fresh")
	assert.Contains(t, made.Next[1], "garnix2gha generate")
	assert.Equal(t, false, service.caches["fresh"]["isPublic"])
}

func TestCreateLeadsThroughTheWebPagesWhereTheAPIDoesNot(t *testing.T) {
	t.Parallel()
	const create = "POST /api/v1/cache/fresh"
	for _, tc := range []struct {
		name, token string
		args        []string
		override    map[string]http.HandlerFunc
		code        int
		says        string // on standard error
		steps       bool   // by hand
		other       bool   // with another token
	}{
		{name: "no token", code: exitProblems, says: "none was given", steps: true, other: true},
		{name: "a token for one cache", token: pushToken, code: exitProblems, says: "not account-wide", steps: true, other: true},
		{name: "an expired token", token: expiredToken, code: exitProblems, says: "expired", steps: true, other: true},
		{name: "a name that is taken", token: accountToken, override: map[string]http.HandlerFunc{create: say(400, "text/plain", "Invalid `name`")}, code: exitProblems, says: "may be taken", steps: true},
		{name: "an endpoint that changed", token: accountToken, override: map[string]http.HandlerFunc{create: say(404, "application/json", `{"error":"no such route"}`)}, code: exitProblems, says: "may have changed", steps: true},
		{name: "a service out of order", token: accountToken, override: map[string]http.HandlerFunc{create: say(500, "text/html", proxyPage)}, code: exitFailure, says: "cannot answer now (500)", steps: true},
		{name: "an answer cut off", token: accountToken, override: map[string]http.HandlerFunc{"GET /api/v1/user": cutOff}, code: exitFailure, says: "cut off"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			service := newCachix(t, "")
			service.override = tc.override
			dir := folder(t, map[string]string{settingsFile: "statuses: true\n"})
			got := invocation{env: service.env(tc.token)}.run(t, append([]string{"-C", dir, "cache", "create", "fresh", "--write"}, tc.args...)...)
			assert.Equal(t, tc.code, got.code, "%s%s", got.stdout, got.stderr)
			assert.Contains(t, got.stderr, tc.says)
			assert.NotContains(t, got.stderr, "{")
			assert.Equal(t, tc.steps, strings.Contains(got.stdout, "make the cache by hand"))
			assert.Equal(t, tc.other, strings.Contains(got.stdout, "or with a personal token"))
			assert.Equal(t, "statuses: true\n", read(t, dir, settingsFile), "nothing is written")
		})
	}
}

func TestCreateRefusesBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	service := newCachix(t, "")
	world := invocation{env: service.env(accountToken)}
	for _, tc := range []struct {
		name, settings string
		args           []string
		code           int
		says           string
	}{
		{name: "a name that is none", args: []string{"Bad_Name"}, code: exitUsage, says: "lower-case"},
		{name: "no name", code: exitUsage, says: "tokens are never arguments"},
		{name: "a token as the name", args: []string{accountToken}, code: exitUsage, says: "token"},
		{name: "settings with errors", settings: "nonsense: 1\n", args: []string{"fresh", "--write"}, code: exitProblems, says: "unknown key"},
		{name: "settings of another backend", settings: "cache: {backend: attic, server: 'https://a.example', url: 'https://a.example/b'}\n", args: []string{"fresh", "--write"}, code: exitProblems, says: "another backend"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, map[string]string{settingsFile: tc.settings})
			got := world.run(t, append([]string{"-C", dir, "cache", "create"}, tc.args...)...)
			assert.Equal(t, tc.code, got.code, "%s%s", got.stdout, got.stderr)
			assert.Contains(t, got.stderr, tc.says)
			assert.Empty(t, service.log)
		})
	}
}

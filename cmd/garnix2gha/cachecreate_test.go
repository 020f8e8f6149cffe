package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"garnix2gha/cmd/internal/cachix"
)

const settingsFile = ".github/garnix2gha/config.yaml"

func TestCreateMakesACacheOnce(t *testing.T) {
	t.Parallel()
	service := newCachix(t, "")
	world := invocation{env: service.env(accountToken)}
	dir := folder(t, map[string]string{settingsFile: "cache: {name: fresh}\n"})
	made := world.run(t, "-C", dir, "cache", "create", "fresh")
	assert.Equal(t, exitFine, made.code, made.stderr)
	for _, text := range []string{
		"created cache fresh", `extra-substituters = [ "https://fresh.cachix.org" ];`, cacheKey,
		"leftovers --fix", "/cache/fresh, Settings, Auth Tokens", "garnix2gha secrets sync --token env:CACHIX_AUTH_TOKEN --apply",
	} {
		assert.Contains(t, made.stdout, text)
	}
	for _, text := range []string{"init --cache", "garnix2gha generate"} {
		assert.NotContains(t, made.stdout, text, "the settings name it already")
	}
	assert.NotContains(t, made.stdout, "gh ")

	again := world.run(t, "-C", dir, "cache", "create", "fresh", "--format", "json")
	assert.Equal(t, exitFine, again.code)
	assert.Equal(t, "existed", decoded[creationJSON](t, again).Outcome)
	assert.Equal(t, 1, service.asked("POST /api/v1/cache/fresh"))
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
	assert.Contains(t, made.Next[1], "public-key: "+cacheKey)
	assert.Contains(t, made.Next[2], "garnix2gha generate")
	assert.Equal(t, false, service.caches["fresh"]["isPublic"])
}

func TestCreateLeadsThroughTheWebPagesWhereTheAPIDoesNot(t *testing.T) {
	t.Parallel()
	const create = "POST /api/v1/cache/fresh"
	for _, tc := range []struct {
		name, token string
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
		{name: "an endpoint that changed", token: accountToken, override: map[string]http.HandlerFunc{create: say(404, "application/json", `{"error":"no such route"}`)}, code: exitProblems, says: "part of the API has changed", steps: true},
		{name: "a service out of order", token: accountToken, override: map[string]http.HandlerFunc{create: say(500, "text/html", proxyPage)}, code: exitFailure, says: "cannot answer now (500)", steps: true},
		{name: "an answer cut off", token: accountToken, override: map[string]http.HandlerFunc{"GET /api/v1/user": cutOff}, code: exitFailure, says: "cut off"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			service := newCachix(t, "")
			service.override = tc.override
			got := invocation{env: service.env(tc.token)}.run(t, "-C", t.TempDir(), "cache", "create", "fresh")
			assert.Equal(t, tc.code, got.code, "%s%s", got.stdout, got.stderr)
			assert.Contains(t, got.stderr, tc.says)
			assert.NotContains(t, got.stderr, "{")
			assert.Equal(t, tc.steps, strings.Contains(got.stdout, "make the cache by hand"))
			assert.Equal(t, tc.other, strings.Contains(got.stdout, "or with a personal token"))
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
		{name: "settings with errors", settings: "nonsense: 1\n", args: []string{"fresh"}, code: exitProblems, says: "unknown key"},
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

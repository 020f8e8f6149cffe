package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"garnix2gha/cmd/internal/cachix"
)

func TestInspectTellsWhatATokenCanDo(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, token, cache string
		code               int
		says               []string // on standard output
	}{
		{name: "without a token a public cache is fine", cache: "acme", code: exitFine, says: []string{"acme, public, of octo", "no token was given", cacheKey}},
		{name: "a token for one cache is fit", token: pushToken, cache: "acme", code: exitFine, says: []string{"data-plane", "its permission on acme is Write", "garnix2gha init --cache acme", "garnix2gha secrets sync"}},
		{name: "an account-wide token is not", token: accountToken, cache: "acme", code: exitProblems, says: []string{"account-wide", "CI must not have it"}},
		{name: "an expired token is not", token: expiredToken, cache: "acme", code: exitProblems, says: []string{"expired"}},
		{name: "a token that only reads is not", token: readToken, cache: "acme", code: exitProblems, says: []string{"read-only", "write permission"}},
		{name: "an opaque text is no token", token: "hunter2-nonsense", cache: "acme", code: exitProblems, says: []string{"not-a-token"}},
		{name: "a cache that is not there comes with both ways to one", cache: "nobody", code: exitProblems, says: []string{"missing, or private", "make the cache by hand at", "or with a personal token", "garnix2gha cache create nobody"}},
		{name: "a token that nothing accepts leaves it open", token: readToken, cache: "nobody", code: exitFailure, says: []string{"what the token can do could not be established"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			service := newCachix(t, newSubstituter(t, "").URL)
			got := invocation{env: service.env(tc.token)}.run(t, "-C", t.TempDir(), "cache", "inspect", tc.cache)
			assert.Equal(t, tc.code, got.code, "%s%s", got.stdout, got.stderr)
			for _, text := range tc.says {
				assert.Contains(t, got.stdout, text)
			}
		})
	}
}

func TestInspectFindsTheNameAndTheToken(t *testing.T) {
	t.Parallel()
	service := newCachix(t, newSubstituter(t, "").URL)
	named := folder(t, map[string]string{".github/garnix2gha/config.yaml": "cache: {name: acme}\n", "token": pushToken + "\n"})
	unnamed := folder(t, map[string]string{".github/garnix2gha/config.yaml": "cache: {name-variable: OTHER}\n"})
	plain := service.env("")

	assert.Equal(t, exitFine, invocation{env: plain}.run(t, "-C", named, "cache", "inspect").code, "from the settings")

	inEnvironment := service.env("")
	inEnvironment[nameVariable], inEnvironment["OTHER"] = "acme", "hunter2"
	assert.Equal(t, exitFine, invocation{env: inEnvironment}.run(t, "-C", unnamed, "cache", "inspect").code,
		"from one variable only, whatever the settings call theirs")

	nameless := invocation{env: plain}.run(t, "-C", unnamed, "cache", "inspect")
	assert.Equal(t, exitUsage, nameless.code)
	assert.Contains(t, nameless.stderr, "cache.name")

	in := decoded[inspectionJSON](t, invocation{env: service.env(pushToken)}.run(t, "-C", named, "cache", "inspect", "--format", "json"))
	assert.Equal(t, cachix.DataPlane, in.Verdict)
	assert.True(t, in.FitForCI)

	for _, args := range [][]string{
		{"cache", "inspect", pushToken},
		{"cache", "inspect", "acme", pushToken},
	} {
		got := invocation{env: plain}.run(t, append([]string{"-C", named}, args...)...)
		assert.NotEqual(t, exitFine, got.code)
		assert.NotEmpty(t, got.stderr)
	}
	broken := folder(t, map[string]string{".github/garnix2gha/config.yaml": "cache: {nam: acme}\n"})
	got := invocation{env: plain}.run(t, "-C", broken, "cache", "inspect")
	assert.Equal(t, exitProblems, got.code)
	assert.Contains(t, got.stderr, "config.yaml:1:9: error: unknown key \"nam\"")
}

func TestInspectSaysWhenTheServiceGivesNoAnswer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc // nil: nobody listens
		waits  string           // what a person is told before the second attempt
	}{
		{name: "connection refused", waits: "Cachix gives no answer: connection refused; asking again\n"},
		{name: "a proxy's page", answer: say(200, "text/html", proxyPage)},
		{name: "out of order", answer: say(503, "text/plain", "try later"), waits: "Cachix answered 503; asking again\n"},
		{name: "cut off", answer: cutOff, waits: "Cachix gives no answer: the answer was cut off; asking again\n"},
		{name: "garbage", answer: say(200, "application/json", "\x00\x1b[31mgarbage")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{tokenVariable: pushToken}
			if tc.answer == nil {
				env[apiVariable] = refused + "/api/v1"
			} else {
				env[apiVariable] = serve(t, tc.answer).URL + "/api/v1"
			}
			got := invocation{env: env}.run(t, "-C", t.TempDir(), "cache", "inspect", "acme")
			assert.Equal(t, exitFailure, got.code)
			assert.Contains(t, got.stderr, "garnix2gha: inspect cache acme: Cachix could not be reached")
			assert.Contains(t, got.stderr, tc.waits)
			assert.LessOrEqual(t, strings.Count(got.stderr, "asking again"), 2, "once for the cache, once for the token")
			assert.Equal(t, tc.waits != "", strings.Contains(got.stderr, "asking again"))
		})
	}
}

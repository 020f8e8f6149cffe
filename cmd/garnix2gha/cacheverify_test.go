package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/bincache"
)

// offline are settings that lead nowhere but to the cache under test.
const offline = "cache: {upstreams: []}\n"

func TestVerifyPathsGivesAVerdictOnEach(t *testing.T) {
	t.Parallel()
	here, gone := storePath("h1"), storePath("g1")
	cache := newSubstituter(t, "", here)
	dir := folder(t, map[string]string{settingsFile: offline, "paths": here + "\n\n  " + gone + "\nnonsense\x1b[31m\n"})
	got := invocation{}.run(t, "-C", dir, "cache", "verify", "--url", cache.URL+"/?priority=1", "--paths", dir+"/paths")
	assert.Equal(t, exitProblems, got.code, got.stderr)
	lines := strings.Split(got.stdout, "\n")
	require.Len(t, lines, 4, got.stdout)
	assert.Regexp(t, `^missing  -  -  `+gone+` +127\.0\.0\.1:\d+ does not have it \(404\)$`, lines[0])
	assert.Regexp(t, `^unknown  -  -  nonsense\x{FFFD}\[31m  +"nonsense.*" is not below /nix/store$`, lines[1])
	assert.Equal(t, cache.URL+": 1 in the cache, 0 upstream, 1 missing, 1 unknown", lines[2])
	assert.Contains(t, got.stderr, "hint: build it and push it to the cache")
	assert.Contains(t, got.stderr, "signatures are not checked")

	fine := invocation{stdin: here + "\n"}.run(t, "-C", dir, "cache", "verify", "--url", cache.URL, "--paths", "-")
	assert.Equal(t, exitFine, fine.code, fine.stderr)
	assert.Equal(t, cache.URL+": 1 in the cache, 0 upstream, 0 missing, 0 unknown\n", fine.stdout)

	found := decoded[verification](t, invocation{stdin: gone}.run(t, "-C", dir, "cache", "verify", "--url", cache.URL, "--paths", "-", "--format", "json"))
	require.Len(t, found.Results, 1)
	assert.Equal(t, gone, found.Results[0].Path)
	assert.Equal(t, 1, found.Summary.Missing)
	assert.Empty(t, found.Cache.PublicKeys)

	annotated := invocation{stdin: gone}.run(t, "-C", dir, "cache", "verify", "--url", cache.URL, "--paths", "-", "--format", "github")
	assert.Equal(t, exitProblems, annotated.code)
	assert.Contains(t, annotated.stdout, "::error title=garnix2gha cache-missing::"+gone+" is missing: ")
}

func TestVerifyOfNothingIsNotGreen(t *testing.T) {
	t.Parallel()
	cache := newSubstituter(t, "")
	dir := folder(t, map[string]string{settingsFile: offline})
	got := invocation{stdin: "\n"}.run(t, "-C", dir, "cache", "verify", "--url", cache.URL, "--paths", "-")
	assert.Equal(t, exitFailure, got.code)
	assert.Contains(t, got.stderr, "nothing was verified")
	long := invocation{stdin: strings.Repeat("x", 100_000)}.run(t, "-C", dir, "cache", "verify", "--url", cache.URL, "--paths", "-")
	assert.Equal(t, exitFailure, long.code)
}

func TestVerifyFindsTheCacheAndItsKeys(t *testing.T) {
	t.Parallel()
	here := storePath("h1")
	cache := newSubstituter(t, "", here)
	service := newCachix(t, cache.URL)
	for _, tc := range []struct {
		name, settings string
		args           []string
		variable       string
		code           int
		says           string // on either stream
		keys           bool
	}{
		{name: "by the settings' name", settings: "cache: {name: acme, upstreams: []}\n", code: exitProblems, says: "not signed by a trusted key", keys: true},
		{name: "by the environment", settings: offline, variable: "acme", code: exitProblems, says: "not signed by a trusted key", keys: true},
		{name: "with the key of the settings", settings: "cache: {name: acme, public-key: 'b-1:" + strings.TrimPrefix(cacheKey, "acme.cachix.org-1:") + "', upstreams: []}\n", code: exitProblems, says: "not signed by a trusted key", keys: true},
		{name: "another cache has no key of the settings", settings: "cache: {name: acme, public-key: '" + cacheKey + "', upstreams: []}\n", args: []string{"--url", cache.URL}, code: exitFine, says: "signatures are not checked [signatures-unchecked]"},
		{name: "a key on the command line counts", settings: offline, args: []string{"--url", cache.URL, "--public-key", cacheKey}, code: exitProblems, says: "not signed by a trusted key", keys: true},
		{name: "a cache that Cachix does not know", settings: offline, variable: "nobody", code: exitFailure, says: "doesn't exist or you're not authorized"},
		{name: "an address, although Cachix does not know the name", settings: "cache: {name: nobody, url: '" + cache.URL + "', upstreams: []}\n", code: exitFine, says: "doesn't exist or you're not authorized"},
		{name: "no cache", settings: offline, code: exitUsage, says: "no cache is known"},
		{name: "a name that is none", settings: offline, variable: pushToken, code: exitUsage, says: "no name of a Cachix cache"},
		{name: "a secret key by mistake", settings: offline, args: []string{"--url", cache.URL, "--public-key", "acme-1:hunter2AAAA"}, code: exitUsage, says: "--public-key"},
		{name: "targets and paths", settings: offline, args: []string{"--branch", "main"}, code: exitUsage, says: "--branch or --paths, not both"},
		{name: "an address that is none", settings: offline, args: []string{"--url", "hunter2://x"}, code: exitFailure, says: "want https://host/path"},
		{name: "a password in the address", settings: offline, args: []string{"--url", strings.Replace(cache.URL, "://", "://me:s3cret@", 1)}, code: exitFailure, says: "unknown"},
		{name: "settings with errors", settings: "nonsense: 1\n", code: exitProblems, says: "unknown key"},
		{name: "a file that is not there", settings: offline, args: []string{"--url", cache.URL, "--netrc", "/nonexistent/netrc"}, code: exitFailure, says: "no such file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			env := service.env("")
			env[nameVariable] = tc.variable
			dir := folder(t, map[string]string{settingsFile: tc.settings})
			got := invocation{env: env, stdin: here}.run(t, append([]string{"-C", dir, "cache", "verify", "--paths", "-"}, tc.args...)...)
			assert.Equal(t, tc.code, got.code, "%s%s", got.stdout, got.stderr)
			assert.Contains(t, got.stdout+got.stderr, tc.says)
			if tc.keys {
				assert.NotContains(t, got.stderr, "signatures are not checked")
			}
		})
	}
}

func TestVerifySendsTheTokenToCachixAlone(t *testing.T) {
	t.Parallel()
	here := storePath("h1")
	private := newSubstituter(t, pushToken, here)
	service := newCachix(t, private.URL)
	service.caches["acme"]["isPublic"], service.caches["acme"]["publicSigningKeys"] = false, []string{}
	env := service.env(pushToken)
	env[nameVariable] = "acme"
	dir := folder(t, map[string]string{settingsFile: offline})

	got := invocation{env: env, stdin: here}.run(t, "-C", dir, "cache", "verify", "--paths", "-")
	assert.Equal(t, exitFine, got.code, "the address that Cachix names: %s%s", got.stdout, got.stderr)

	known := folder(t, map[string]string{settingsFile: "cache: {name: acme, url: '" + private.URL + "', public-key: '" + cacheKey + "', upstreams: []}\n"})
	got = invocation{env: env, stdin: here}.run(t, "-C", known, "cache", "verify", "--paths", "-")
	assert.Contains(t, got.stdout, "serves it, but not signed", "also where the settings know everything else: %s", got.stderr)

	stranger := newSubstituter(t, pushToken, here)
	got = invocation{env: env, stdin: here}.run(t, "-C", dir, "cache", "verify", "--paths", "-", "--url", stranger.URL)
	assert.Equal(t, exitFailure, got.code)
	assert.Contains(t, got.stderr, "the token is sent to Cachix only, over https [token-not-sent]")
	assert.Contains(t, got.stdout, "wants credentials and none were given")

	netrc := folder(t, map[string]string{"netrc": "machine 127.0.0.1 password " + pushToken + "\n"})
	got = invocation{stdin: here}.run(t, "-C", dir, "cache", "verify", "--paths", "-", "--url", stranger.URL, "--netrc", netrc+"/netrc")
	assert.Equal(t, exitFine, got.code, "netrc says what belongs to whom: %s%s", got.stdout, got.stderr)

	// An expired token would be refused even where none is needed.
	open := newSubstituter(t, "", here)
	public := newCachix(t, open.URL)
	public.caches["acme"]["publicSigningKeys"] = []string{}
	env = public.env(expiredToken)
	env[nameVariable] = "acme"
	got = invocation{env: env, stdin: here}.run(t, "-C", dir, "cache", "verify", "--paths", "-")
	assert.Equal(t, exitFine, got.code, "a public cache is read without it: %s%s", got.stdout, got.stderr)
}

func TestVerifyCallsAFaultUnknown(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc // to everything; nil: nobody listens
		says   string
	}{
		{name: "connection refused", says: "gives no answer"},
		{name: "a login page", answer: say(200, "text/html", proxyPage), says: "answers with something else"},
		{name: "out of order", answer: say(500, "text/plain", "\x1b[31mboom"), says: "cannot answer now (500)"},
		{name: "cut off", answer: cutOff, says: "gives no answer"},
		{name: "no cache at all", answer: say(404, "text/plain", "404"), says: "has no such thing"},
		{name: "a cache for another store", answer: say(200, "text/plain", "StoreDir: /other/store\n"), says: "another store"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var address string
			if tc.answer == nil {
				address = refused
			} else {
				address = serve(t, tc.answer).URL
			}
			dir := folder(t, map[string]string{settingsFile: offline})
			got := invocation{stdin: storePath("h1")}.run(t, "-C", dir, "cache", "verify", "--paths", "-", "--url", address)
			assert.Equal(t, exitFailure, got.code, "%s%s", got.stdout, got.stderr)
			assert.Contains(t, got.stdout, "unknown")
			assert.Contains(t, got.stdout, tc.says)
			assert.Contains(t, got.stderr, "garnix2gha: whether 1 output is in the cache could not be established")
		})
	}
}

func TestVerifySaysOnceThatACacheGivesNoAnswer(t *testing.T) {
	t.Parallel()
	down := serve(t, say(503, "text/plain", "maintenance"))
	lacking := newSubstituter(t, "")
	paths := storePath("h1") + "\n" + storePath("h2") + "\n" + storePath("h3") + "\n"
	for _, tc := range []struct{ name, settings, url, cause string }{
		{"the cache itself", offline, down.URL, strings.TrimPrefix(down.URL, "http://") + " cannot answer now (503): maintenance"},
		{
			"an upstream of it", "cache: {upstreams: ['" + down.URL + "']}\n", lacking.URL,
			strings.TrimPrefix(lacking.URL, "http://") + " does not have it; " + strings.TrimPrefix(down.URL, "http://") + " cannot answer now (503): maintenance",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := folder(t, map[string]string{settingsFile: tc.settings})
			verify := func(format string) outcome {
				got := invocation{stdin: paths, env: map[string]string{tokenVariable: pushToken}}.run(t, "-C", dir, "cache", "verify", "--paths", "-", "--url", tc.url, "--format", format)
				assert.Equal(t, exitFailure, got.code, "%s%s", got.stdout, got.stderr)
				return got
			}
			before := down.asked("GET /nix-cache-info")
			text := verify("text")
			assert.Equal(t, 10, down.asked("GET /nix-cache-info")-before, "a dead cache costs the retries of one request")
			assert.Equal(t, "unknown  each of 3 outputs  -  -  "+tc.cause+"\n"+tc.url+": 0 in the cache, 0 upstream, 0 missing, 3 unknown\n", text.stdout)
			assert.Contains(t, text.stderr, "hint: verify again later\n")
			assert.Contains(t, verify("github").stdout, "::error title=garnix2gha cache-unknown::each of 3 outputs is unknown: "+tc.cause)
			found := decoded[verification](t, verify("json"))
			assert.Equal(t, []verified{{Result: bincache.Result{Verdict: bincache.Unknown, Cause: tc.cause, Next: "verify again later"}, Count: 3}}, found.Results)
			assert.Equal(t, verifiedSummary{Unknown: 3}, found.Summary)
		})
	}
}

package golden_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type scriptVerdicts struct {
	Cache    struct{ URL, State, Message string }
	Requests int
	Paths    map[string]struct{ Verdict, Cause string }
}

// lookup asks for store paths and returns the verdicts.
func (j *scriptJob) lookup(paths []string, env ...string) scriptVerdicts {
	j.t.Helper()
	outputs := map[string]string{}
	for i, path := range paths {
		outputs[fmt.Sprintf("o%d", i)] = path
	}
	j.put("targets.json", map[string]any{"targets": []any{map[string]any{"attr": "a", "outputs": outputs}}})
	end := j.run("lookup.sh", env...)
	require.Equal(j.t, 0, end.code, end.log)
	return scriptGet[scriptVerdicts](j, "verdicts.json")
}

func TestScriptLookupTellsWhatEachAnswerMeans(t *testing.T) {
	t.Parallel()
	cache, upstream := newScriptCache(t), newScriptCache(t)
	there, other, noPath, absent, gone, forbidden, private, busy, broken, up := scriptPath(1, "there"), scriptPath(2, "other"), scriptPath(3, "page"),
		scriptPath(4, "absent"), scriptPath(5, "gone"), scriptPath(6, "forbidden"), scriptPath(7, "private"), scriptPath(8, "busy"), scriptPath(9, "broken"), scriptPath(10, "up")
	cache.put(there)
	cache.put(busy)
	upstream.put(up)
	upstream.put(broken)
	fixed := map[string]func(w http.ResponseWriter, n int) bool{
		other:     func(w http.ResponseWriter, _ int) bool { fmt.Fprint(w, "StorePath: "+other+"-2\n"); return true },
		noPath:    func(w http.ResponseWriter, _ int) bool { fmt.Fprint(w, "<html>"); return true },
		gone:      func(w http.ResponseWriter, _ int) bool { w.WriteHeader(410); return true },
		forbidden: func(w http.ResponseWriter, _ int) bool { w.WriteHeader(403); return true },
		private:   func(w http.ResponseWriter, _ int) bool { w.WriteHeader(401); return true },
		broken:    func(w http.ResponseWriter, _ int) bool { w.WriteHeader(500); return true },
		busy: func(w http.ResponseWriter, n int) bool {
			if n > 1 {
				return false
			}
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(429)
			return true
		},
	}
	cache.answer = func(w http.ResponseWriter, r *http.Request, n int) bool {
		for path, answer := range fixed {
			if strings.Contains(r.URL.Path, scriptHash(path)) {
				return answer(w, n)
			}
		}
		return false
	}
	j := newScriptJob(t)
	got := j.lookup([]string{there, other, noPath, absent, gone, forbidden, private, busy, broken, up}, "CACHE_URL", cache.url+"/", "UPSTREAMS", upstream.url)
	verdicts := map[string]string{}
	for path, v := range got.Paths {
		verdicts[path] = v.Verdict + ": " + v.Cause
	}
	assert.Equal(t, map[string]string{
		there:     "in-cache: ",
		busy:      "in-cache: ",
		up:        "upstream: " + upstream.url,
		broken:    "upstream: " + upstream.url,
		other:     "missing: the cache has another path under this hash: " + other + "-2",
		noPath:    "unknown: the answer is not a narinfo",
		absent:    "missing: HTTP 404",
		gone:      "missing: HTTP 410",
		forbidden: "missing: HTTP 403, which some stores answer for what they do not have",
		private:   "unknown: credentials: HTTP 401",
	}, verdicts)
	assert.Equal(t, "ok", got.Cache.State)
	assert.Equal(t, 1+10+8, got.Requests, "the cache itself, every path, and upstream what is not there")
	assert.Equal(t, 1, cache.asked("GET", scriptHash(absent)), "a miss is an answer")
	assert.Zero(t, upstream.asked("GET", scriptHash(there)))
}

func TestScriptLookupChecksTheCacheFirst(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer         func(w http.ResponseWriter)
		state, message string
	}{
		"private":      {func(w http.ResponseWriter) { w.WriteHeader(401) }, "missing-or-private", "HTTP 401"},
		"missing":      {func(w http.ResponseWriter) { w.WriteHeader(404) }, "missing-or-private", "HTTP 404"},
		"forbidden":    {func(w http.ResponseWriter) { w.WriteHeader(403) }, "missing-or-private", "HTTP 403"},
		"a web site":   {func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") }, "not-a-cache", "no StoreDir /nix/store"},
		"other store":  {func(w http.ResponseWriter) { fmt.Fprint(w, "StoreDir: /gnu/store\n") }, "not-a-cache", "no StoreDir /nix/store"},
		"out of order": {func(w http.ResponseWriter) { w.WriteHeader(502) }, "unreachable", "HTTP 502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cache, upstream := newScriptCache(t), newScriptCache(t)
			upstream.put(scriptPath(2, "b"))
			cache.answer = func(w http.ResponseWriter, _ *http.Request, _ int) bool { c.answer(w); return true }
			got := newScriptJob(t).lookup([]string{scriptPath(1, "a"), scriptPath(2, "b")}, "CACHE_URL", cache.url, "UPSTREAMS", upstream.url)
			assert.Equal(t, c.state, got.Cache.State)
			assert.Contains(t, got.Cache.Message, c.message)
			assert.Equal(t, "unknown", got.Paths[scriptPath(1, "a")].Verdict)
			assert.Equal(t, got.Cache.Message, got.Paths[scriptPath(1, "a")].Cause)
			assert.Equal(t, "upstream", got.Paths[scriptPath(2, "b")].Verdict)
			assert.Zero(t, cache.asked("GET", "narinfo"), "no use in asking it for paths")
		})
	}
	t.Run("nobody answers", func(t *testing.T) {
		t.Parallel()
		cache := newScriptCache(t)
		cache.answer = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			connection, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = connection.Close()
			}
			return true
		}
		got := newScriptJob(t).lookup([]string{scriptPath(1, "a")}, "CACHE_URL", cache.url)
		assert.Equal(t, "unreachable", got.Cache.State)
		assert.Contains(t, got.Cache.Message, "no answer: ")
	})
	t.Run("none is configured", func(t *testing.T) {
		t.Parallel()
		upstream := newScriptCache(t)
		upstream.put(scriptPath(2, "b"))
		got := newScriptJob(t).lookup([]string{scriptPath(1, "a"), scriptPath(2, "b")}, "CACHE_URL", "", "UPSTREAMS", upstream.url, "WAIT_MINUTES", "5")
		assert.Equal(t, "none", got.Cache.State)
		assert.Equal(t, "unknown", got.Paths[scriptPath(1, "a")].Verdict)
		assert.Equal(t, "no cache is configured", got.Paths[scriptPath(1, "a")].Cause)
		assert.Equal(t, "upstream", got.Paths[scriptPath(2, "b")].Verdict)
	})
}

func TestScriptLookupAsksOnceForEachPathAndManyAtATime(t *testing.T) {
	t.Parallel()
	cache := newScriptCache(t)
	cache.delay = 20 * time.Millisecond
	var paths []string
	for i := range 300 {
		paths = append(paths, scriptPath(i+1, "p"))
		cache.put(paths[i])
	}
	start := time.Now()
	got := newScriptJob(t).lookup(append(paths, paths...), "CACHE_URL", cache.url)
	assert.Less(t, time.Since(start), 4*time.Second, "300 requests of 20 ms in turn are 6 seconds")
	assert.Equal(t, 301, got.Requests)
	assert.Equal(t, 301, cache.asked("GET", ""))
	assert.Len(t, got.Paths, 300)
	for path, v := range got.Paths {
		assert.Equal(t, "in-cache", v.Verdict, path)
	}
}

func TestScriptLookupReadsAPrivateCacheAndHidesTheToken(t *testing.T) {
	t.Parallel()
	const token = `s3cr"et\token`
	cache := newScriptCache(t)
	cache.put(scriptPath(1, "a"))
	other := newScriptCache(t)
	leaked := false
	other.answer = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		leaked = leaked || r.Header.Get("Authorization") != ""
		return false
	}
	cache.answer = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.Header.Get("Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(":"+token)) {
			w.WriteHeader(401)
			return true
		}
		if strings.Contains(r.URL.Path, scriptHash(scriptPath(2, "b"))) {
			http.Redirect(w, r, other.url+r.URL.Path, http.StatusFound)
			return true
		}
		return false
	}
	other.put(scriptPath(2, "b"))
	j := newScriptJob(t)
	argv := j.path("argv")
	j.tool("curl", fmt.Sprintf("printf '%%s\\n' \"$@\" >>%q\nPATH=${PATH#*:} exec curl \"$@\"\n", argv))
	got := j.lookup([]string{scriptPath(1, "a"), scriptPath(2, "b"), scriptPath(3, "c")}, "CACHE_URL", cache.url, "CACHE_TOKEN", token, "UPSTREAMS", other.url)
	assert.Equal(t, "ok", got.Cache.State)
	assert.Equal(t, "in-cache", got.Paths[scriptPath(1, "a")].Verdict)
	assert.Equal(t, "in-cache", got.Paths[scriptPath(2, "b")].Verdict)
	assert.Equal(t, "missing", got.Paths[scriptPath(3, "c")].Verdict)
	assert.False(t, leaked, "neither a redirect nor an upstream gets the token")
	arguments, err := os.ReadFile(argv)
	require.NoError(t, err)
	assert.NotContains(t, string(arguments), "s3cr")
	entries, err := os.ReadDir(j.path(""))
	require.NoError(t, err)
	for _, entry := range entries {
		assert.NotContains(t, entry.Name(), "lookup.", "no file with the token is left behind")
	}
}

func TestScriptLookupWaitsForAPushUnderWay(t *testing.T) {
	t.Parallel()
	cache := newScriptCache(t)
	late := scriptPath(1, "late")
	cache.put(scriptPath(2, "there"))
	cache.answer = func(_ http.ResponseWriter, r *http.Request, n int) bool {
		if strings.Contains(r.URL.Path, scriptHash(late)) && n == 3 {
			cache.put(late)
		}
		return false
	}
	got := newScriptJob(t).lookup([]string{late, scriptPath(2, "there")}, "CACHE_URL", cache.url, "WAIT_MINUTES", "1", "POLL_SECONDS", "0.1")
	assert.Equal(t, "in-cache", got.Paths[late].Verdict)
	assert.Equal(t, 3, cache.asked("GET", scriptHash(late)))
	assert.Equal(t, 1, cache.asked("GET", scriptHash(scriptPath(2, "there"))), "what is there is not asked for again")

	end := newScriptJob(t).run("lookup.sh", "WAIT_MINUTES", "1; touch pwned")
	assert.Equal(t, 1, end.code)
	assert.Contains(t, end.log, "wait-minutes must be a number")
}

func TestScriptLookupTakesOnlyStorePathsFromFilesOfOtherJobs(t *testing.T) {
	t.Parallel()
	cache := newScriptCache(t)
	cache.put(scriptPath(1, "a"))
	j := newScriptJob(t)
	j.put("plan/plan.json", map[string]any{"targets": []any{map[string]any{"outputs": map[string]any{"out": scriptPath(1, "a")}}}})
	j.put("result/one.json", map[string]any{"targets": []any{
		map[string]any{"outputs": map[string]any{"a": scriptPath(2, "b"), "b": nil, "c": 3, "d": "/nix/store/../../etc/passwd", "e": scriptPath(3, "x") + "\"\noutput = \"/tmp/x", "f": "/etc/passwd", "g": scriptPath(4, "x/y")}},
		map[string]any{"outputs": "text"}, "text", map[string]any{},
	}})
	j.put("result/broken.json", `{"targets": 3}`)
	end := j.run("lookup.sh", "CACHE_URL", cache.url, "INPUTS", "plan/plan.json result/*.json none/*.json")
	require.Equal(t, 0, end.code, end.log)
	got := scriptGet[scriptVerdicts](j, "verdicts.json")
	assert.Len(t, got.Paths, 2)
	assert.Equal(t, "in-cache", got.Paths[scriptPath(1, "a")].Verdict)
	assert.Equal(t, "missing", got.Paths[scriptPath(2, "b")].Verdict)

	j.put("targets.json", `{"targets":[]}`)
	end = j.run("lookup.sh", "CACHE_URL", cache.url)
	require.Equal(t, 0, end.code, end.log)
	assert.Empty(t, scriptGet[scriptVerdicts](j, "verdicts.json").Paths)
}

package golden_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScriptPushPutsEveryOutputOfWhatWasBuiltIntoTheCache(t *testing.T) {
	t.Parallel()
	cache := newScriptCache(t)
	j := newScriptNixJob(t)
	j.standin(cache)
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    packages.x86_64-linux = {
      multi = derivation { name = "multi"; inherit n; system = "x86_64-linux"; outputs = [ "out" "dev" ]; builder = "/bin/sh"; args = [ "-c" "echo > $out; echo > $dev" ]; };
      needy = derivation { name = "needy"; inherit n; needs = ok "needed"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo $needs > $out" ]; };
      bad = d "bad" "x86_64-linux" "exit 1";
    };`)})
	j.evaluate("RULES", scriptRules("packages.*.*"))
	assert.Equal(t, 1, j.run("build.sh", "ENTRY", "e", "PUSH", "false").code)
	end := j.run("push.sh", scriptWithToken()...)
	assert.Equal(t, 0, end.code, end.log)
	got := scriptGet[scriptResult](j, "result/e.json")
	assert.True(t, got.Pushed)
	for _, attr := range []string{"multi", "needy"} {
		for name, path := range got.get(t, "packages.x86_64-linux."+attr).Outputs {
			assert.True(t, cache.has(*path), "%s %s", attr, name)
		}
	}
	assert.Equal(t, 1, strings.Count(j.clientLog(), "push mine"), "one push for all")
	assert.Contains(t, j.run("report.sh", "ENTRY", "e").summary, "; pushed.")
}

func TestScriptPushFailsWithTheCause(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	cache := newScriptCache(t)
	j.standin(cache)
	j.env["PUSH_PAUSE"] = "0"
	j.flake(map[string]string{"flake.nix": scriptFlake(`packages.x86_64-linux.a = derivation { name = "a"; inherit n; needs = ok "needed"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo $needs > $out" ]; };`)})
	j.evaluate("TARGETS", "packages.x86_64-linux.a")
	require.Equal(t, 0, j.run("build.sh", "ENTRY", "e").code)
	a := *scriptGet[scriptResult](j, "result/e.json").Targets[0].Outputs["out"]
	for _, c := range []struct {
		name  string
		env   []string
		cause string
		tries int
	}{
		{"an empty token is never used", []string{"CACHIX_AUTH_TOKEN", ""}, "CACHIX_AUTH_TOKEN is empty", 0},
		{"a wrong token", []string{"CACHIX_AUTH_TOKEN", "old"}, "the token is wrong or expired, or the cache does not exist (401)", 3},
		{"another cache", []string{"CACHE_NAME", "other"}, "the token is wrong or expired, or the cache does not exist (401)", 3},
		{"a token that only reads", []string{"STANDIN_CACHIX_FAIL", "403"}, "the token may not write to it (403)", 3},
		{"a broken server", []string{"STANDIN_CACHIX_FAIL", "500"}, "the server failed (500)", 3},
		{"a connection that breaks halfway", []string{"STANDIN_CACHIX_FAIL", "halfway"}, "see the log", 3},
		{"no name", []string{"CACHE_NAME", ""}, "CACHE_NAME is empty", 0},
		{"no backend", []string{"BACKEND", "other"}, "is not known", 0},
	} {
		require.NoError(t, os.RemoveAll(j.env["STANDIN_CACHIX_LOG"]))
		end := j.run("push.sh", scriptWithToken(c.env...)...)
		assert.Equal(t, 1, end.code, c.name)
		annotations := scriptAnnotations(end.log)
		require.Len(t, annotations, 1, c.name)
		assert.Contains(t, annotations[0], c.cause, c.name)
		assert.NotContains(t, end.log, "s3cret")
		assert.Equal(t, c.tries, strings.Count(j.clientLog(), "push "), c.name)
		assert.False(t, scriptGet[scriptResult](j, "result/e.json").Pushed, c.name)
		assert.False(t, cache.has(a), c.name)
	}
	end := j.run("push.sh", scriptWithToken("STANDIN_CACHIX_FAIL", "halfway", "STANDIN_CACHIX_FAILS", "1")...)
	assert.Equal(t, 0, end.code, "the second attempt counts")
	assert.True(t, cache.has(a))
}

func TestScriptPushHasNothingToDoWhereNothingWasBuilt(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.standin(newScriptCache(t))
	j.put("result/e.json", `{"entry":"e","targets":[{"attr":"a","state":"failed","outputs":{"out":"/nix/store/00000000000000000000000000000000-x"}}]}`)
	end := j.run("push.sh", scriptWithToken()...)
	assert.Equal(t, 0, end.code)
	assert.Contains(t, end.log, "nothing was built")
	assert.Empty(t, j.clientLog())

	j.put("result/e.json", `{"entry":"e","targets":[{"attr":"a","state":"built","outputs":{"out":"/nix/store/00000000000000000000000000000000-x"}}]}`)
	end = j.run("push.sh", scriptWithToken()...)
	assert.Equal(t, 1, end.code, "the client would skip it and succeed")
	assert.Contains(t, end.log, "no longer in the store")
	assert.Empty(t, j.clientLog())

	assert.Equal(t, 1, j.run("push.sh", scriptWithToken("ENTRY", "other")...).code)
}

func TestScriptPushCopiesWithNixAndDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	cache := newScriptCache(t)
	j := newScriptNixJob(t)
	j.flake(map[string]string{"flake.nix": scriptFlake(`packages.x86_64-linux.a = ok "a";`)})
	j.evaluate("TARGETS", "packages.x86_64-linux.a")
	require.Equal(t, 0, j.run("build.sh", "ENTRY", "e").code)
	a := *scriptGet[scriptResult](j, "result/e.json").Targets[0].Outputs["out"]
	env := []string{"ENTRY", "e", "BACKEND", "nix", "PUSH_URL", cache.url, "PUSH_PAUSE", "0"}

	cache.answer = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.Method == http.MethodPut {
			w.WriteHeader(500)
			return true
		}
		return false
	}
	start := time.Now()
	end := j.run("push.sh", append(env, "PUSH_TIMEOUT", "2")...)
	assert.Equal(t, 1, end.code, end.log)
	assert.Less(t, time.Since(start), 90*time.Second)
	assert.Regexp(t, `no end after 2 seconds|the server failed`, strings.Join(scriptAnnotations(end.log), ""))
	cache.answer = nil

	key := filepath.Join(t.TempDir(), "key")
	end = j.run("push.sh", append(env, "NIX_SIGNING_KEY", "")...)
	assert.Equal(t, 1, end.code)
	assert.Contains(t, end.log, "NIX_SIGNING_KEY is empty")
	end = j.run("push.sh", append(env, "PUSH_URL", "s3://bucket?endpoint=127.0.0.1", "AWS_ACCESS_KEY_ID", "")...)
	assert.Equal(t, 1, end.code)
	assert.Contains(t, end.log, "AWS_ACCESS_KEY_ID is empty")

	require.NoError(t, scriptExec(j, "nix-store", "--generate-binary-cache-key", "test-1", key, key+".pub"))
	secret, err := os.ReadFile(key)
	require.NoError(t, err)
	end = j.run("push.sh", append(env, "NIX_SIGNING_KEY", string(secret))...)
	assert.Equal(t, 0, end.code, end.log)
	assert.True(t, cache.has(a))
	narinfo, err := os.ReadFile(filepath.Join(cache.dir, scriptHash(a)+".narinfo"))
	require.NoError(t, err)
	assert.Contains(t, string(narinfo), "Sig: test-1:")
	assert.NotContains(t, end.log, strings.TrimSpace(string(secret)))
}

func TestScriptPushGivesAtticItsTokenInAFile(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.flake(map[string]string{"flake.nix": scriptFlake(`packages.x86_64-linux.a = ok "a";`)})
	j.evaluate("TARGETS", "packages.x86_64-linux.a")
	require.Equal(t, 0, j.run("build.sh", "ENTRY", "e").code)
	a := *scriptGet[scriptResult](j, "result/e.json").Targets[0].Outputs["out"]
	j.tool("attic", `printf '%s\n' "$*"; stat -c %a "$XDG_CONFIG_HOME/attic/config.toml"; cat "$XDG_CONFIG_HOME/attic/config.toml"; cat; echo "token in the environment: ${ATTIC_TOKEN-none}"`)
	env := []string{"ENTRY", "e", "BACKEND", "attic", "CACHE_NAME", "mine", "ATTIC_SERVER", "http://127.0.0.1/", "ATTIC_TOKEN", `a"b`}
	end := j.run("push.sh", env...)
	require.Equal(t, 0, end.code, end.log)
	assert.Contains(t, end.log, "push --stdin ci:mine\n600\ndefault-server = \"ci\"\n[servers.ci]\nendpoint = \"http://127.0.0.1/\"\ntoken = \"a\\\"b\"\n"+a+"\ntoken in the environment: none")
	assert.Contains(t, j.run("push.sh", append(env, "ATTIC_TOKEN", "")...).log, "ATTIC_TOKEN is empty")
}

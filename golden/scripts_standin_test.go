package golden_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tests are worth as much as the stand-in for the Cachix client is like it.
func TestScriptStandinFallsIntoTheTrapsOfTheClient(t *testing.T) {
	t.Parallel()
	cache := newScriptCache(t)
	j := newScriptNixJob(t)
	j.standin(cache)
	j.flake(map[string]string{"flake.nix": scriptFlake(`packages.x86_64-linux = { a = ok "a"; b = ok "b"; };`)})
	targets := j.evaluate("RULES", scriptRules("*.*.*"))
	a, b := targets.get(t, "packages.x86_64-linux.a"), targets.get(t, "packages.x86_64-linux.b")
	const gone = "/nix/store/00000000000000000000000000000000-gone"
	client := func(token, command string) (string, error) {
		j.env["CACHIX_AUTH_TOKEN"] = token
		err := scriptExec(j, "bash", "-c", command+" >out 2>&1 </dev/null || { echo \"exit $?\" >>out; }", "bash")
		out, readErr := os.ReadFile(filepath.Join(j.checkout, "out"))
		require.NoError(t, readErr)
		return string(out), err
	}
	for _, c := range []struct{ name, token, command, want string }{
		{"no paths", "s3cret", "cachix push mine", "Nothing to push.\n"},
		{"only invalid paths", "s3cret", "cachix push mine " + gone, "Warning: " + gone + " is not valid, skipping\nNothing to push - all store paths are already on Cachix.\n"},
		{"a wrong token", "old", "cachix push mine " + gone, "401 Unauthorized"},
		{"an empty token counts as one", "", "cachix use mine", "401 Unauthorized"},
		{"another cache", "s3cret", "cachix push other " + gone, "401 Unauthorized"},
		{"the exit code of the command", "s3cret", "cachix watch-exec mine -- bash -c 'exit 7'", "exit 7\n"},
		{"a wrong token keeps the command from running", "old", "cachix watch-exec mine -- touch ran", "exit 1\n"},
		{"a mode the parser does not know", "s3cret", "cachix watch-exec --watch-mode auto mine true", "exit 1\n"},
		{"a version", "", "cachix --version", "cachix 1.11.1\n"},
	} {
		out, err := client(c.token, c.command)
		require.NoError(t, err, c.name)
		assert.Contains(t, out, c.want, c.name)
	}
	assert.NoFileExists(t, filepath.Join(j.checkout, "ran"))
	assert.Zero(t, cache.asked(http.MethodPut, ""))

	j.env["STANDIN_CACHIX_FAIL"] = "500"
	out, err := client("s3cret", "cachix watch-exec mine -- nix-store --realise "+a.Drv)
	require.NoError(t, err)
	assert.Contains(t, out, "Failed to push some store paths")
	assert.NotContains(t, out, "exit ", "a failed push does not show in the exit code")
	assert.False(t, cache.has(*a.Outputs["out"]))
	delete(j.env, "STANDIN_CACHIX_FAIL")
	out, err = client("s3cret", "cachix watch-exec mine nix-store -- --realise "+a.Drv+" "+b.Drv)
	require.NoError(t, err)
	assert.NotContains(t, out, "exit ")
	assert.False(t, cache.has(*a.Outputs["out"]), "what was there before is not watched")
	assert.True(t, cache.has(*b.Outputs["out"]))

	log := j.clientLog()
	assert.NotContains(t, log, "s3cret")
	assert.Equal(t, 1, strings.Count(log, "watched mine "+*b.Outputs["out"]))
}

package bincache

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nixTool runs Nix commands with a home and settings of their own.
type nixTool struct {
	t   *testing.T
	env []string
}

func newNixTool(t *testing.T) nixTool {
	t.Helper()
	if _, err := exec.LookPath("nix"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("nix is not installed, and CI needs it")
		}
		t.Skip("nix is not installed")
	}
	return nixTool{t: t, env: append(os.Environ(),
		"HOME="+t.TempDir(),
		"NIX_CONFIG=experimental-features = nix-command flakes\nbuild-users-group =\nsandbox = false\nsubstituters =",
	)}
}

// run returns what a command prints, without the final newline; stdin may be empty.
func (n nixTool) run(stdin, name string, args ...string) string {
	n.t.Helper()
	cmd := exec.Command(name, args...)
	var stderr strings.Builder
	cmd.Env, cmd.Stdin, cmd.Stderr = n.env, strings.NewReader(stdin), &stderr
	out, err := cmd.Output()
	require.NoError(n.t, err, "%s %v: %s", name, args, stderr.String())
	return strings.TrimSpace(string(out))
}

const nixExpression = `
let
  system = builtins.currentSystem;
  shell = name: text: derivation { inherit name system; builder = "/bin/sh"; args = [ "-c" text ]; };
  dep = shell "bincache-dep" "echo dependency > $out";
  src = builtins.toFile "bincache-src" "source";
in
shell "bincache-top" "echo ${dep} ${src} $out > $out"
`

func TestCacheWrittenByNixIsVerified(t *testing.T) {
	t.Parallel()
	nix, dir := newNixTool(t), t.TempDir()
	expression, keyFile, store := filepath.Join(dir, "top.nix"), filepath.Join(dir, "key"), filepath.Join(dir, "cache")
	require.NoError(t, os.WriteFile(expression, []byte(nixExpression), 0o600))
	secret := nix.run("", "nix", "key", "generate-secret", "--key-name", "bincache-test-1")
	require.NoError(t, os.WriteFile(keyFile, []byte(secret), 0o600))
	public := nix.run(secret, "nix", "key", "convert-secret-to-public")
	top := nix.run("", "nix-build", "--no-out-link", expression)
	nix.run("", "nix", "copy", "--to", "file://"+store+"?secret-key="+keyFile, top)
	server := httptest.NewServer(http.FileServer(http.Dir(store)))
	t.Cleanup(server.Close)

	client := newClient(t, Config{URL: server.URL, PublicKeys: []string{public}})
	require.NoError(t, client.Check(t.Context()))

	closure := verdicts(t, client, true, top)
	require.Len(t, closure, 3)
	for _, path := range strings.Fields(nix.run("", "nix-store", "--query", "--requisites", top)) {
		assert.Equal(t, InCache, closure[path].Verdict, "%s: %s", path, closure[path].Cause)
		assert.Contains(t, closure[path].Cause, "signed by bincache-test-1")
	}

	stranger := newClient(t, Config{URL: server.URL, PublicKeys: []string{newSigner("stranger-1").public()}})
	untrusted := verdicts(t, stranger, false, top)[top]
	assert.Equal(t, Missing, untrusted.Verdict)
	assert.Contains(t, untrusted.Cause, "not signed by a trusted key")

	path, err := ParseStorePath(top)
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(store, path.Hash()+".narinfo")))
	assert.Equal(t, Missing, verdict(t, client, path).Verdict)
}

// Without a signing key Nix still accepts what is content-addressed, which is not told here.
func TestUnsignedCacheHoldsNothingForSure(t *testing.T) {
	t.Parallel()
	nix, dir := newNixTool(t), t.TempDir()
	expression, store := filepath.Join(dir, "top.nix"), filepath.Join(dir, "cache")
	require.NoError(t, os.WriteFile(expression, []byte(nixExpression), 0o600))
	top := nix.run("", "nix-build", "--no-out-link", expression)
	nix.run("", "nix", "copy", "--to", "file://"+store, top)
	server := httptest.NewServer(http.FileServer(http.Dir(store)))
	t.Cleanup(server.Close)

	paths := strings.Fields(nix.run("", "nix-store", "--query", "--requisites", top))
	require.Len(t, paths, 3)
	client := newClient(t, Config{URL: server.URL, PublicKeys: []string{newSigner("ours-1").public()}})
	for path, got := range verdicts(t, client, false, paths...) {
		want := Missing
		if strings.HasSuffix(path, "-bincache-src") {
			want = Unknown
		}
		assert.Equal(t, want, got.Verdict, "%s: %s", path, got.Cause)
	}
}

package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

// TestWayOut goes the whole way as a new user would: from a repository with garnix.yaml to a proven cache and no
// leftovers. Nix and git are real; Cachix, GitHub and the binary cache are servers of this test that act as the
// services do. What CI would do is done by the script itself.
func TestWayOut(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the flake of this test is for x86_64-linux")
	}
	requireTool(t, "nix")
	requireTool(t, "git")
	const name = "octo-flake"
	public, secret := signingKey(t, name+".cachix.org-1")
	store := t.TempDir()
	substituter := newStore(t, store)
	cachix := newCachix(t, substituter.URL)
	cachix.override["POST /api/v1/cache/"+name] = func(http.ResponseWriter, *http.Request) {
		cachix.caches[name] = map[string]any{"name": name, "uri": substituter.URL, "isPublic": true, "publicSigningKeys": []string{public}}
	}
	github := newGitHub(t)

	testscript.Run(t, testscript.Params{
		Files:               []string{"testdata/wayout.txtar"},
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			for name, value := range map[string]string{
				"HOME": env.WorkDir + "/home",
				// The flake must not be in the store already: nothing is pushed that was never built.
				"NONCE":              rand.Text(),
				"NIX_CONFIG":         "experimental-features = nix-command flakes\nbuild-users-group =\nsandbox = false\nsubstituters =\n",
				"GIT_AUTHOR_NAME":    "t",
				"GIT_AUTHOR_EMAIL":   "t@example.org",
				"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.org",
				apiVariable: cachix.URL + "/api/v1",
				"GH_HOST":   "github.localhost", "HTTP_PROXY": github.URL,
				"ACCOUNT_TOKEN": accountToken,
				"PUSH_TOKEN":    pushToken,
				"GITHUB_SECRET": githubToken,
				"CACHE":         substituter.URL,
				"UPSTREAM":      newSubstituter(t, "").URL,
				"CACHE_DIR":     store,
				"KEY_FILE":      env.WorkDir + "/signing-key",
				"PUBLIC_KEY":    public,
			} {
				env.Setenv(name, value)
			}
			if err := os.WriteFile(env.WorkDir+"/signing-key", []byte(secret), 0o600); err != nil {
				return err
			}
			return os.Mkdir(env.WorkDir+"/home", 0o755)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// arrived FILE writes what GitHub got as CACHIX_AUTH_TOKEN, as its workflows would see it.
			"arrived": func(ts *testscript.TestScript, _ bool, args []string) {
				github.mu.Lock()
				defer github.mu.Unlock()
				got, ok := github.secrets["actions/"+tokenVariable]
				if !ok || github.variables["actions/"+nameVariable] != name {
					ts.Fatalf("the secret or the variable did not arrive")
				}
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(got), 0o600))
			},
			// locked yes makes the cache want a password that nobody has.
			"locked": func(ts *testscript.TestScript, _ bool, args []string) {
				substituter.mu.Lock()
				defer substituter.mu.Unlock()
				delete(substituter.override, "GET /nix-cache-info")
				if args[0] == "yes" {
					substituter.override["GET /nix-cache-info"] = say(401, "text/plain", "Unauthorized")
				}
			},
			// silent looks for tokens in what the last command printed.
			"silent": func(ts *testscript.TestScript, _ bool, _ []string) {
				if strings.Contains(ts.ReadFile("stdout")+ts.ReadFile("stderr"), "hunter2") {
					ts.Fatalf("a token was printed")
				}
			},
		},
	})
}

// signingKey makes a key as "nix key generate-secret" does, and its public half.
func signingKey(t *testing.T, name string) (public, secret string) {
	t.Helper()
	open, hidden, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	encode := base64.StdEncoding.EncodeToString
	return name + ":" + encode(open), name + ":" + encode(hidden)
}

// newStore is a binary cache that anybody reads and that nix writes with the token as password.
func newStore(t *testing.T, dir string) *answers {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nix-cache-info"), []byte("StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 41\n"), 0o600))
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		file := filepath.Join(dir, filepath.FromSlash(filepath.Clean(r.URL.Path)))
		if r.Method == http.MethodPut {
			if _, password, _ := r.BasicAuth(); password != pushToken {
				say(401, "text/plain", "Unauthorized")(w, r)
				return
			}
			body, err := io.ReadAll(r.Body)
			if err == nil {
				err = os.MkdirAll(filepath.Dir(file), 0o755)
			}
			if err == nil {
				err = os.WriteFile(file, body, 0o644)
			}
			if err != nil {
				say(500, "text/plain", err.Error())(w, r)
			}
			return
		}
		content, err := os.ReadFile(file)
		if err != nil {
			say(404, "text/plain", "404 - Not Found")(w, r)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		if r.Method != http.MethodHead {
			_, _ = w.Write(content)
		}
	})
}

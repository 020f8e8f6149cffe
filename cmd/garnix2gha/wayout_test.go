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
	w := newWorld(t)

	testscript.Run(t, testscript.Params{
		Files:               []string{"testdata/wayout.txtar"},
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			w.setenv(t, env)
			for name, value := range map[string]string{
				// The flake must not be in the store already: nothing is pushed that was never built.
				"NONCE":         rand.Text(),
				"GITHUB_SECRET": githubToken,
				"CACHE":         w.cache.URL,
				"CACHE_DIR":     w.store,
				"KEY_FILE":      env.WorkDir + "/signing-key",
				"PUBLIC_KEY":    w.public,
			} {
				env.Setenv(name, value)
			}
			if err := os.WriteFile(env.WorkDir+"/signing-key", []byte(w.secret), 0o600); err != nil {
				return err
			}
			return os.Mkdir(env.WorkDir+"/home", 0o755)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// arrived FILE writes what GitHub got as CACHIX_AUTH_TOKEN, as its workflows would see it.
			"arrived": func(ts *testscript.TestScript, _ bool, args []string) {
				w.github.mu.Lock()
				defer w.github.mu.Unlock()
				got, ok := w.github.secrets["actions/"+tokenVariable]
				if !ok || w.github.variables["actions/"+nameVariable] != worldCache {
					ts.Fatalf("the secret or the variable did not arrive")
				}
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(got), 0o600))
			},
			// locked yes makes the cache want a password that nobody has.
			"locked": func(ts *testscript.TestScript, _ bool, args []string) {
				w.cache.mu.Lock()
				defer w.cache.mu.Unlock()
				delete(w.cache.override, "GET /nix-cache-info")
				if args[0] == "yes" {
					w.cache.override["GET /nix-cache-info"] = say(401, "text/plain", "Unauthorized")
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

// worldCache is the cache that a world's Cachix makes when it is asked to.
const worldCache = "octo-flake"

// world is what is outside of the program where nix and git are real: Cachix, GitHub, and the cache's store with its key.
type world struct {
	cachix         *cachixStandIn
	github         *githubStandIn
	cache          *answers
	store          string
	public, secret string
}

func newWorld(t *testing.T) world {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the flake of this test is for x86_64-linux")
	}
	requireTool(t, "nix")
	requireTool(t, "git")
	w := world{store: t.TempDir()}
	w.public, w.secret = signingKey(t, worldCache+".cachix.org-1")
	w.cache = newStore(t, w.store)
	w.cachix = newCachix(t, w.cache.URL)
	w.cachix.override["POST /api/v1/cache/"+worldCache] = func(http.ResponseWriter, *http.Request) {
		w.cachix.caches[worldCache] = map[string]any{"name": worldCache, "uri": w.cache.URL, "isPublic": true, "publicSigningKeys": []string{w.public}}
	}
	w.github = newGitHub(t)
	return w
}

// setenv leads the programs of a script there.
func (w world) setenv(t *testing.T, env *testscript.Env) {
	for name, value := range map[string]string{
		"HOME":               env.WorkDir + "/home",
		"NIX_CONFIG":         "experimental-features = nix-command flakes\nbuild-users-group =\nsandbox = false\nsubstituters =\n",
		"GIT_AUTHOR_NAME":    "t",
		"GIT_AUTHOR_EMAIL":   "t@example.org",
		"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.org",
		apiVariable: w.cachix.URL + "/api/v1",
		"GH_HOST":   "github.localhost", "HTTP_PROXY": w.github.URL,
		"ACCOUNT_TOKEN": accountToken,
		"PUSH_TOKEN":    pushToken,
		"UPSTREAM":      newSubstituter(t, "").URL,
	} {
		env.Setenv(name, value)
	}
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

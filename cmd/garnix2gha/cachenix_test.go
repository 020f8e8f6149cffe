package main

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/bincache"
)

// nixConfig lets a single user build without a sandbox and without any substituter.
const nixConfig = "experimental-features = nix-command flakes ca-derivations\nbuild-users-group =\nsandbox = false\nsubstituters =\n"

// nixSystem is what nix calls this machine.
func nixSystem() string {
	cpu := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	return cpu + "-" + runtime.GOOS
}

// nixRepository is a repository with a flake of its own, and a binary cache that real nix copies into.
type nixRepository struct {
	t                  *testing.T
	dir, store, public string
	secretFile         string
	server             *httptest.Server
}

const verifiedFlake = `{
  outputs = { self }:
    let
      system = "SYSTEM";
      shell = name: text: outputs: system: derivation {
        inherit name system outputs;
        builder = "/bin/sh";
        args = [ "-c" text ];
        nonce = "NONCE";
      };
      dependency = shell "dependency" "echo NONCE > $out" [ "out" ] system;
      hello = shell "hello" "echo ${dependency} > $out; echo dev > $dev" [ "out" "dev" ] system;
      elsewhere = shell "elsewhere" "echo > $out" [ "out" ] "OTHER";
    in
    {
      packages.${system} = {
        inherit hello;
        same = hello;
        broken = throw "it is out of stock";
        addressed = derivation {
          name = "addressed"; inherit system; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; nonce = "NONCE";
          __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256";
        };
      };
      packages.OTHER = { inherit elsewhere; imported = import elsewhere; };
      checks.${system}.hello = hello;
    };
}
`

func newNixRepository(t *testing.T, config string) nixRepository {
	t.Helper()
	requireTool(t, "nix")
	other := "aarch64-darwin"
	if nixSystem() == other {
		other = "x86_64-linux"
	}
	replacer := strings.NewReplacer("SYSTEM", nixSystem(), "OTHER", other, "NONCE", rand.Text())
	r := nixRepository{t: t, dir: folder(t, map[string]string{
		"flake.nix": replacer.Replace(verifiedFlake), "garnix.yaml": replacer.Replace(config),
	}), store: t.TempDir()}
	secret := r.nix("", "key", "generate-secret", "--key-name", "verify-test-1")
	r.secretFile = filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(r.secretFile, []byte(secret), 0o600))
	r.public = r.nix(secret, "key", "convert-secret-to-public")
	require.NoError(t, os.WriteFile(filepath.Join(r.store, "nix-cache-info"), []byte("StoreDir: /nix/store\n"), 0o600))
	files := http.FileServer(http.Dir(r.store))
	r.server = httptest.NewServer(files)
	t.Cleanup(r.server.Close)
	require.NoError(t, os.MkdirAll(filepath.Join(r.dir, ".github/garnix2gha"), 0o755))
	r.write(settingsFile, "cache: {backend: nix, url: '"+r.server.URL+"', push-url: 'file:///nowhere', public-key: '"+r.public+"', upstreams: []}\n")
	return r
}

func (r nixRepository) write(name, text string) {
	r.t.Helper()
	require.NoError(r.t, os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600))
}

func (r nixRepository) nix(stdin string, args ...string) string {
	r.t.Helper()
	command := exec.Command("nix", args...)
	var said strings.Builder
	command.Dir, command.Stdin, command.Stderr = r.dir, strings.NewReader(stdin), &said
	command.Env = append(os.Environ(), "HOME="+r.t.TempDir(), "NIX_CONFIG="+nixConfig)
	out, err := command.Output()
	require.NoError(r.t, err, said.String())
	return strings.TrimSpace(string(out))
}

// push builds installables and copies them into the cache, signed, with everything that they refer to.
func (r nixRepository) push(installables ...string) {
	r.t.Helper()
	r.nix("", append([]string{"build", "--no-link"}, installables...)...)
	r.nix("", append([]string{"copy", "--to", "file://" + r.store + "?secret-key=" + r.secretFile}, installables...)...)
}

func (r nixRepository) run(args ...string) outcome {
	r.t.Helper()
	return program{dir: r.dir, env: map[string]string{"NIX_CONFIG": nixConfig}}.run(r.t, args...)
}

func TestVerifyProvesWhatNixPushed(t *testing.T) {
	t.Parallel()
	r := newNixRepository(t, "builds:\n  include: ['packages.SYSTEM.hello', 'packages.SYSTEM.same', 'checks.SYSTEM.hello', 'packages.SYSTEM.vanished']\n")
	before := decoded[verification](t, r.run("cache", "verify", "--format", "json"))
	assert.Equal(t, verifiedSummary{Missing: 6}, before.Summary, "two outputs of one derivation under three names")
	require.Len(t, before.Warnings, 1)
	assert.Equal(t, "target-missing", before.Warnings[0].Code)
	assert.Equal(t, "garnix.yaml", before.Warnings[0].File)

	r.push(".#hello")
	half := r.run("cache", "verify")
	assert.Equal(t, exitProblems, half.code)
	assert.Regexp(t, `^missing   checks\.\S+\.hello +dev  /nix/store/\S+-hello-dev +127.0.0.1:\d+ does not have it \(404\)\n`, half.stdout)
	assert.Contains(t, half.stdout, ": 3 in the cache, 0 upstream, 3 missing, 0 unknown\n")
	annotated := r.run("cache", "verify", "--format", "github")
	assert.Regexp(t, `(?m)^::error file=garnix.yaml,line=2,col=\d+,title=garnix2gha cache-missing::checks\.\S+\.hello dev /nix/store/\S+ is missing: `, annotated.stdout)

	r.push(".#hello.dev")
	full := r.run("cache", "verify", "--closure")
	assert.Equal(t, exitFine, full.code, "%s%s", full.stdout, full.stderr)
	assert.Contains(t, full.stdout, ": 7 in the cache, 0 upstream, 0 missing, 0 unknown\n", "and the dependency")
	found := decoded[verification](t, r.run("cache", "verify", "--format", "json"))
	require.Len(t, found.Results, 6)
	assert.Contains(t, found.Results[0].Cause, "signed by verify-test-1")
	assert.Regexp(t, `^/nix/store/.*-hello\.drv$`, found.Results[0].Drv)
	assert.Equal(t, nixSystem(), found.Results[0].System)

	// A dependency is evicted: only the closure shows it.
	evicted, err := filepath.Glob(filepath.Join(r.store, "*.narinfo"))
	require.NoError(t, err)
	for _, file := range evicted {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.Contains(string(text), "-dependency\n") && strings.Contains(string(text), "StorePath: ") && !strings.Contains(string(text), "-hello\n") {
			require.NoError(t, os.Remove(file))
		}
	}
	assert.Equal(t, exitFine, r.run("cache", "verify").code)
	torn := r.run("cache", "verify", "--closure")
	assert.Equal(t, exitProblems, torn.code)
	assert.Regexp(t, `^missing   - +-  +/nix/store/\S+-dependency +.*-hello refers to it\n`, torn.stdout)
}

func TestVerifyListsAFlakeWhoseTargetsAreNotKnown(t *testing.T) {
	t.Parallel()
	r := newNixRepository(t, "builds:\n  - include: ['packages.SYSTEM.*']\n    exclude: ['packages.SYSTEM.addressed']\n  - {include: ['packages.OTHER.elsewhere'], branch: main}\n")
	r.push(".#hello", ".#hello.dev")
	for _, tc := range []struct {
		name   string
		args   []string
		code   int
		says   []string
		not    string
		counts verifiedSummary
	}{
		{
			name: "for every branch", code: exitProblems, counts: verifiedSummary{InCache: 4, Missing: 1, Unknown: 1},
			says: []string{"packages.OTHER.elsewhere", "it does not evaluate: it is out of stock"},
		},
		{name: "for one branch", args: []string{"--branch", "dev"}, code: exitFailure, not: "elsewhere", counts: verifiedSummary{InCache: 4, Unknown: 1}, says: []string{"packages.SYSTEM.same"}},
		{name: "for the branch that has more", args: []string{"--branch", "main"}, code: exitProblems, counts: verifiedSummary{InCache: 4, Missing: 1, Unknown: 1}, says: []string{"packages.OTHER.elsewhere"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := r.run(append([]string{"cache", "verify", "--format", "json"}, tc.args...)...)
			assert.Equal(t, tc.code, got.code, "%s%s", got.stdout, got.stderr)
			assert.Equal(t, tc.counts, decoded[verification](t, got).Summary)
			for _, text := range tc.says {
				assert.Contains(t, got.stdout, strings.NewReplacer("SYSTEM", nixSystem(), "OTHER", "aarch64-darwin").Replace(text))
			}
			if tc.not != "" {
				assert.NotContains(t, got.stdout, tc.not)
			}
		})
	}
}

func TestVerifyCallsUnknownWhatNobodyCanTellHere(t *testing.T) {
	t.Parallel()
	r := newNixRepository(t, "builds:\n  include: ['packages.SYSTEM.addressed', 'packages.OTHER.imported']\n")
	got := r.run("cache", "verify")
	assert.Equal(t, exitFailure, got.code, "%s%s", got.stdout, got.stderr)
	assert.Contains(t, got.stdout, "content-addressed: only building it tells the path")
	assert.Contains(t, got.stdout, "it cannot be evaluated here, because that takes a build on another machine: ")
	assert.Contains(t, got.stderr, "whether 2 outputs are in the cache could not be established")

	r.write("garnix.yaml", "builds:\n  include: ['packages.x86_64-linux.vanished']\n")
	nothing := r.run("cache", "verify")
	assert.Equal(t, exitFailure, nothing.code)
	assert.Contains(t, nothing.stderr, "the flake has none of the 1 selected target, so nothing was verified")

	r.write("garnix.yaml", "builds: []\n")
	empty := r.run("cache", "verify")
	assert.Equal(t, exitFine, empty.code, empty.stderr)
	assert.Contains(t, empty.stderr, "no target is selected")

	r.write("garnix.yaml", "builds: nonsense\n")
	assert.Equal(t, exitProblems, r.run("cache", "verify").code)
}

func TestVerifyFindsTheFlakeWhereTheConfigurationHasIt(t *testing.T) {
	t.Parallel()
	r := newNixRepository(t, "flakeDir: nix/flake\nbuilds:\n  include: ['packages.SYSTEM.hello']\n")
	gone := r.run("cache", "verify")
	assert.Equal(t, exitFailure, gone.code)
	assert.Contains(t, gone.stderr, "nix/flake")
	require.NoError(t, os.MkdirAll(filepath.Join(r.dir, "nix/flake"), 0o755))
	require.NoError(t, os.Rename(filepath.Join(r.dir, "flake.nix"), filepath.Join(r.dir, "nix/flake/flake.nix")))
	assert.Contains(t, r.run("cache", "verify").stdout, "0 in the cache, 0 upstream, 2 missing")
}

// The way of a new user: the cache's address and key come from Cachix, its name from the environment.
func TestVerifyReadsAPrivateCachixCacheThatNixFilled(t *testing.T) {
	t.Parallel()
	r := newNixRepository(t, "builds:\n  include: ['packages.SYSTEM.hello']\n")
	r.push(".#hello", ".#hello.dev")
	files := http.FileServer(http.Dir(r.store))
	private := serve(t, func(w http.ResponseWriter, request *http.Request) {
		if _, password, _ := request.BasicAuth(); password != pushToken {
			say(401, "text/plain", "Unauthorized")(w, request)
			return
		}
		files.ServeHTTP(w, request)
	})
	service := newCachix(t, private.URL)
	service.caches["acme"]["isPublic"], service.caches["acme"]["publicSigningKeys"] = false, []string{r.public}
	r.write(settingsFile, offline)
	env := service.env(pushToken)
	env[nameVariable], env["NIX_CONFIG"] = "acme", nixConfig
	got := program{dir: r.dir, env: env}.run(t, "cache", "verify", "--format", "json")
	assert.Equal(t, exitFine, got.code, "%s%s", got.stdout, got.stderr)
	found := decoded[verification](t, got)
	assert.Equal(t, []string{r.public}, found.Cache.PublicKeys)
	assert.Equal(t, bincache.InCache, found.Results[0].Verdict)
}

package golden_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// executedScenario is the state of one script: a repository, a cache, and what the last run did.
type executedScenario struct {
	repo      string // the repository's work tree
	scratch   string
	tool      string // act
	cache     *actCache
	secrets   map[string]string
	variables map[string]string
	env       map[string]string // for act and every step
	slots     chan struct{}

	event  actEvent
	branch *string // of the last run; nil for none
	last   *actRun
	pushed map[string]bool // narinfo in the cache before the last run
	built  int             // size of the builders' log before the last run

	asked    int      // narinfo that the last run asked for
	statuses []string // that it posted
}

// newExecutedScenario prepares tools and placeholders around the files that a script brought.
func newExecutedScenario(t testing.TB, repo, tool string, slots chan struct{}) (*executedScenario, error) {
	standins, err := filepath.Abs("testdata/standins")
	if err != nil {
		return nil, err
	}
	s := &executedScenario{
		repo: repo, scratch: t.TempDir(), tool: tool, cache: executedCache(t), slots: slots,
		secrets:   map[string]string{"CACHIX_AUTH_TOKEN": "cachix-" + executedNonce(), "GITHUB_TOKEN": "github-" + executedNonce()},
		variables: map[string]string{},
	}
	s.cache.password = s.secrets["CACHIX_AUTH_TOKEN"]
	for _, dir := range []string{"home", "tmp", "artifacts", "steps", "tools", "client"} {
		if err := os.MkdirAll(filepath.Join(s.scratch, dir), 0o755); err != nil {
			return nil, err
		}
	}
	if err := s.wrap(standins); err != nil {
		return nil, err
	}
	s.env = map[string]string{
		"HOME":              filepath.Join(s.scratch, "home"),
		"TMPDIR":            filepath.Join(s.scratch, "tmp"),
		"PATH":              filepath.Join(s.scratch, "tools") + ":" + filepath.Join(s.scratch, "client") + ":" + os.Getenv("PATH"),
		"LANG":              "C.UTF-8",
		"CACHIX_API":        s.cache.URL + "/api/v1",
		"PUSH_PAUSE":        "0",
		"POLL_SECONDS":      "1",
		"STANDIN_CANARY":    s.canary(),
		"STANDIN_ACTIONS":   filepath.Join(standins, "actions"),
		"STANDIN_ARTIFACTS": filepath.Join(s.scratch, "artifacts"),
		"STANDIN_NIX_CONF":  filepath.Join(s.scratch, "nix.conf"),
		"STANDIN_ORIGIN":    repo,
		"STANDIN_STEPS":     filepath.Join(s.scratch, "steps"),
	}
	return s, s.fill(standins)
}

func executedNonce() string {
	random := make([]byte, 12)
	_, _ = rand.Read(random) // never fails
	return hex.EncodeToString(random)
}

// wrap puts wrappers on the path: the shell leaves a record of every script and its environment, nix of every call, and
// the client learns from a file that no step sees which token is right and how to fail.
func (s *executedScenario) wrap(standins string) error {
	bash, err := exec.LookPath("bash")
	if err != nil {
		return err
	}
	config := filepath.Join(s.scratch, "client.env")
	wrappers := map[string]string{
		"tools/bash": fmt.Sprintf(`for script; do :; done
if [ "$#" -ge 2 ] && [ -f "$script" ] && [ "${script%%/act/workflow/*.sh}" != "$script" ]; then
  record=$(mktemp "$STANDIN_STEPS/XXXXXXXX")
  env -0 >"$record.env"
  cp -- "$script" "$record.script"
  rm -- "$record"
fi
exec %s "$@"`, bash),
		"client/cachix": fmt.Sprintf("set -a\n. %s\nset +a\nexec %s %s \"$@\"", config, bash, filepath.Join(standins, "cachix")),
	}
	for _, name := range []string{"nix", "nix-instantiate", "nix-store"} {
		real, err := exec.LookPath(name)
		if err != nil {
			return err
		}
		wrappers["tools/"+name] = fmt.Sprintf("echo \"%s $1\" >>%s\nexec %s \"$@\"", name, filepath.Join(s.scratch, "nix.calls"), real)
	}
	for name, text := range wrappers {
		// A process that is forked while the file is open for writing would keep it so, and nobody could run it.
		syscall.ForkLock.RLock()
		err := os.WriteFile(filepath.Join(s.scratch, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755)
		syscall.ForkLock.RUnlock()
		if err != nil {
			return err
		}
	}
	return s.client("")
}

// client tells the stand-in client how to fail; "" for not at all.
func (s *executedScenario) client(fault string) error {
	text := fmt.Sprintf("STANDIN_CACHE_URL=%s\nSTANDIN_CACHE_NAME=ours\nSTANDIN_CACHIX_TOKEN=%s\nSTANDIN_CACHIX_LOG=%s\n",
		s.cache.URL, s.secrets["CACHIX_AUTH_TOKEN"], filepath.Join(s.scratch, "client.log"))
	if fault != "" {
		text += "STANDIN_CACHIX_FAIL=" + fault + "\n"
	}
	return os.WriteFile(filepath.Join(s.scratch, "client.env"), []byte(text), 0o600)
}

// fill replaces the placeholders of the script's files and adds the ones every repository has.
func (s *executedScenario) fill(standins string) error {
	replacer := strings.NewReplacer(
		"@CACHE@", s.cache.URL,
		"@CANARY@", s.canary(),
		"@NONCE@", executedNonce(),
		"@PATH@", "/usr/local/bin:/usr/bin:/bin",
		"@BUILT@", s.builtLog(),
		"@PEEKED@", filepath.Join(s.scratch, "peeked"),
	)
	recipe, err := os.ReadFile(filepath.Join(standins, "build.nix"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.repo, "build.nix"), recipe, 0o644); err != nil {
		return err
	}
	const conf = `max-jobs = 4
build-users-group =
sandbox = false
substituters =
require-sigs = false
extra-platforms = aarch64-darwin x86_64-darwin aarch64-linux i686-linux
`
	if err := os.WriteFile(s.env["STANDIN_NIX_CONF"], []byte(conf), 0o644); err != nil {
		return err
	}
	return filepath.WalkDir(s.repo, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(name, []byte(replacer.Replace(string(content))), 0o644)
	})
}

// canary is a file that only injected code makes.
func (s *executedScenario) canary() string { return filepath.Join(s.scratch, "canary") }

func (s *executedScenario) builtLog() string { return filepath.Join(s.scratch, "built") }

func TestExecutedNonceIsNew(t *testing.T) {
	t.Parallel()
	require.NotEqual(t, executedNonce(), executedNonce())
}

package nix

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"garnix2gha/generator/config"
	"garnix2gha/generator/flake"
)

// prelude is what the flakes of the tests are written with.
const prelude = `
let
  drv = system: name: derivation { inherit system name; builder = "/bin/sh"; args = [ "-c" "echo ${name} > $out" ]; };
  host = system: name: {
    config.system.build.toplevel = drv system name;
    activationPackage = drv system name;
    pkgs.stdenv.hostPlatform = { inherit system; };
  };
in
`

// tool runs the real nix with a home and settings of its own, and counts its processes.
type tool struct {
	t      *testing.T
	env    []string
	log    string
	runner *Runner
}

func newTool(t *testing.T) *tool {
	t.Helper()
	program, err := exec.LookPath("nix")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("nix is not installed, and CI needs it")
		}
		t.Skip("nix is not installed")
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	env := append(os.Environ(),
		"HOME="+dir, "XDG_CACHE_HOME="+dir+"/cache", "XDG_CONFIG_HOME="+dir+"/config",
		"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.org", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.org",
		// Flakes are left to be enabled by the runner.
		"NIX_CONFIG=build-users-group =\nsandbox = false\nsubstituters =\naccept-flake-config = true",
	)
	counting := script(t, `echo "$*" | head -c 40 | tr '\n' ' ' >>"`+log+`"; echo >>"`+log+`"; exec `+program+` "$@"`)
	runner := running(counting)
	runner.env = env
	return &tool{t: t, env: env, log: log, runner: runner}
}

// running is a runner of another program in nix's place.
func running(program string) *Runner {
	r := New(nil)
	r.program = program
	return r
}

// script writes a shell script and returns its path.
func script(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "nix")
	// A process that is forked while the file is open for writing would keep it so, and nobody could run it.
	syscall.ForkLock.RLock()
	err := os.WriteFile(name, []byte("#!/bin/sh\n"+text+"\n"), 0o700)
	syscall.ForkLock.RUnlock()
	require.NoError(t, err)
	return name
}

// processes returns how often nix has run.
func (n *tool) processes() int {
	content, err := os.ReadFile(n.log)
	if err != nil {
		return 0
	}
	return strings.Count(string(content), "\n")
}

// folder writes a flake with the outputs to a new folder without git.
func (n *tool) folder(outputs string) string {
	n.t.Helper()
	dir, err := filepath.EvalSymlinks(n.t.TempDir())
	require.NoError(n.t, err)
	n.write(dir, outputs)
	return dir
}

func (n *tool) write(dir, outputs string) {
	n.t.Helper()
	require.NoError(n.t, os.MkdirAll(dir, 0o755))
	text := "{ outputs = inputs@{ self, ... }: " + prelude + outputs + "; }"
	require.NoError(n.t, os.WriteFile(filepath.Join(dir, "flake.nix"), []byte(text), 0o600))
}

// repo writes a flake with the outputs to a new repository and commits it.
func (n *tool) repo(outputs string) string {
	n.t.Helper()
	dir := n.folder(outputs)
	n.git(dir, "init", "--quiet")
	n.commit(dir)
	return dir
}

func (n *tool) commit(dir string) {
	n.t.Helper()
	n.git(dir, "add", "--all")
	n.git(dir, "commit", "--quiet", "--message=x")
}

func (n *tool) git(dir string, args ...string) string {
	n.t.Helper()
	command := exec.Command("git", args...)
	command.Dir, command.Env = dir, n.env
	out, err := command.CombinedOutput()
	require.NoError(n.t, err, "git %v: %s", args, out)
	return string(out)
}

// open opens a flake that must be readable.
func (n *tool) open(dir string) *Flake {
	n.t.Helper()
	f, err := n.runner.Open(n.t.Context(), dir)
	require.NoError(n.t, err)
	return f
}

// snapshot takes the snapshot of a repository with the garnix.yaml, none if it is empty.
func (n *tool) snapshot(dir, yaml string) (Snapshot, error) {
	n.t.Helper()
	return n.runner.Snapshot(n.t.Context(), dir, decideBy(yaml))
}

func decideBy(yaml string) func(*flake.Lock) *config.Config {
	return func(lock *flake.Lock) *config.Config {
		var src []byte
		if yaml != "" {
			src = []byte(yaml)
		}
		c, _ := config.Resolve("garnix.yaml", src, lock)
		return c
	}
}

// lock renders the lock of a snapshot that must be had.
func (n *tool) lock(dir, yaml string) string {
	n.t.Helper()
	s, err := n.snapshot(dir, yaml)
	require.NoError(n.t, err)
	text, err := s.Lock.Encode()
	require.NoError(n.t, err)
	return string(text)
}

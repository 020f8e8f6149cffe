package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// outcome is what a run showed and its exit code.
type outcome struct {
	stdout, stderr string
	code           int
}

// invocation is the program's world. Its waits are not waited.
type invocation struct {
	env   map[string]string
	stdin string
}

// run runs the program in this process, and sees to it that no token is shown.
func (i invocation) run(t *testing.T, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, environment{
		stdin: strings.NewReader(i.stdin), stdout: &stdout, stderr: &stderr,
		getenv: func(name string) string { return i.env[name] },
		sleep:  func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	got := outcome{stdout: stdout.String(), stderr: stderr.String(), code: code}
	requireSilent(t, got)
	return got
}

// program is the program as a process of its own.
type program struct {
	dir string
	env map[string]string // nothing else but what the system needs

	stdin string
	hub   *githubStandIn // what the program may ask while it runs; the test has it to itself before and after
}

func (p program) run(t *testing.T, args ...string) outcome {
	t.Helper()
	command := exec.CommandContext(t.Context(), "garnix2gha", args...)
	command.Dir = p.dir
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	for name, value := range p.env {
		command.Env = append(command.Env, name+"="+value)
	}
	var stdout, stderr bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(p.stdin), &stdout, &stderr
	if p.hub != nil {
		p.hub.hand()
		defer p.hub.hand()
	}
	if err := command.Run(); err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	got := outcome{stdout: stdout.String(), stderr: stderr.String(), code: command.ProcessState.ExitCode()}
	requireSilent(t, got)
	return got
}

// requireSilent looks for tokens, and for what harms a terminal, in what was shown.
func requireSilent(t *testing.T, got outcome) {
	t.Helper()
	for _, text := range []string{got.stdout, got.stderr} {
		require.NotContains(t, text, "hunter2")
		require.NotContains(t, text, "s3cret")
		require.NotContains(t, text, "\x1b")
	}
}

// folder makes a folder of files by slash path.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

// decoded reads what a command printed as JSON.
func decoded[T any](t *testing.T, got outcome) T {
	t.Helper()
	var value T
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &value), "%s%s", got.stdout, got.stderr)
	return value
}

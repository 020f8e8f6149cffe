// Package nix runs the nix program: it reads a flake, lists its outputs as garnix did, and tells which derivations they
// are. Everything is evaluated purely, from a locked reference, by the one expression that the workflows use as well.
package nix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrNotInstalled says that there is no nix program.
var ErrNotInstalled = errors.New("nix is not installed\nhint: install it from https://nixos.org/download, or run this where it is")

const (
	// stopTime is how long nix may take to end after it was told to.
	stopTime = 5 * time.Second
	// maxAnswer bounds what one process may print, in bytes.
	maxAnswer = 64 << 20
	// maxMessages is how much of the end of the messages is kept, in bytes; the error comes last.
	maxMessages = 256 << 10
	// leastJobs and mostJobs bound how many processes run by default: an evaluation takes hundreds of megabytes.
	leastJobs, mostJobs = 2, 4
)

// Settings say how to run nix. The zero value is what a person at a shell would get.
type Settings struct {
	Program  string            // "" looks for nix in PATH
	Env      []string          // the process's environment; nil is this process's
	Jobs     int               // processes at a time; 0 depends on the processors
	Progress func(what string) // told what goes on, never twice at a time; may be nil
}

// Runner runs nix. It may be used from several goroutines.
type Runner struct {
	settings Settings
	slots    chan struct{}
	progress sync.Mutex
}

// New returns a runner; whether nix is there is seen when it is first run.
func New(s Settings) *Runner {
	if s.Program == "" {
		s.Program = "nix"
	}
	if s.Jobs <= 0 {
		s.Jobs = min(max(runtime.NumCPU(), leastJobs), mostJobs)
	}
	return &Runner{settings: s, slots: make(chan struct{}, s.Jobs)}
}

func (r *Runner) report(format string, args ...any) {
	if r.settings.Progress == nil {
		return
	}
	r.progress.Lock()
	defer r.progress.Unlock()
	r.settings.Progress(fmt.Sprintf(format, args...))
}

// run runs nix in a directory and returns what it printed and what it said. That nix did not like what it was asked is
// a *Failure.
func (r *Runner) run(ctx context.Context, dir string, args ...string) (stdout []byte, messages string, err error) {
	program, err := exec.LookPath(r.settings.Program)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return nil, "", ErrNotInstalled
	}
	if err != nil {
		return nil, "", fmt.Errorf("find nix: %w", err)
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return nil, "", interrupted(ctx)
	}
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = dir
	command.Env = environment(r.settings.Env, dir)
	command.WaitDelay = stopTime
	out, said := &head{}, &tail{}
	command.Stdout, command.Stderr = out, said
	ownSession(command)
	err = command.Run()
	if ctx.Err() != nil {
		killSession(command)
		return nil, "", interrupted(ctx)
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return nil, "", newFailure(said.String(), exit.ProcessState)
	case err != nil:
		return nil, "", fmt.Errorf("run nix: %w", err)
	case out.over:
		return nil, "", fmt.Errorf("run nix: it printed more than %d MiB", maxAnswer>>20)
	}
	return out.kept, said.String(), nil
}

func interrupted(ctx context.Context) error { return fmt.Errorf("run nix: %w", context.Cause(ctx)) }

// environment is the environment of nix: flakes work whatever nix.conf says, and a flake's nixConfig has no say.
func environment(base []string, dir string) []string {
	if base == nil {
		base = os.Environ()
	}
	const own = "extra-experimental-features = nix-command flakes\naccept-flake-config = false\nwarn-dirty = false\nshow-trace = false\n"
	config := ""
	env := slices.DeleteFunc(slices.Clone(base), func(entry string) bool {
		if text, ok := strings.CutPrefix(entry, "NIX_CONFIG="); ok {
			config = text + "\n"
			return true
		}
		return strings.HasPrefix(entry, "PWD=")
	})
	return append(env, "NIX_CONFIG="+config+own, "PWD="+dir)
}

// head keeps the first maxAnswer bytes and swallows the rest, so that nix can finish.
type head struct {
	kept []byte
	over bool
}

func (h *head) Write(p []byte) (int, error) {
	room := maxAnswer - len(h.kept)
	h.over = h.over || len(p) > room
	h.kept = append(h.kept, p[:min(len(p), room)]...)
	return len(p), nil
}

// tail keeps the last maxMessages bytes.
type tail struct {
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if len(t.kept) > 2*maxMessages {
		t.kept = slices.Clone(t.kept[len(t.kept)-maxMessages:])
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.kept[max(0, len(t.kept)-maxMessages):]) }

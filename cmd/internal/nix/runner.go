// Package nix runs the nix program: it reads a flake, lists its outputs as garnix did, and tells which derivations they
// are. Everything is evaluated purely, from a locked reference, by the one expression that the workflows use as well.
package nix

import (
	"bytes"
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

// run runs nix in a directory and returns what it said and printed. That nix did not like what it was asked is a *Failure,
// and comes with what it said. The tag is that of the answers to listen for.
func (r *Runner) run(ctx context.Context, dir, tag string, args ...string) (said *listener, stdout []byte, err error) {
	said = &listener{prefix: []byte("trace: " + tag + " ")}
	program, err := exec.LookPath(r.settings.Program)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return said, nil, ErrNotInstalled
	}
	if err != nil {
		return said, nil, fmt.Errorf("find nix: %w", err)
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return said, nil, interrupted(ctx)
	}
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = dir
	command.Env = environment(r.settings.Env, dir)
	command.WaitDelay = stopTime
	command.Stderr = said
	ownSession(command)
	stdout, err = command.Output()
	if ctx.Err() != nil {
		killSession(command)
		return said, nil, interrupted(ctx)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return said, nil, newFailure(said.messages(), exit.ProcessState)
	}
	if err != nil {
		return said, nil, fmt.Errorf("run nix: %w", err)
	}
	return said, stdout, nil
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

// listener sorts what nix says, line by line, into answers and messages, of which it keeps the last maxMessages bytes.
type listener struct {
	prefix  []byte // of an answer
	answers [][]byte
	said    []byte
	line    []byte // not ended yet
}

func (l *listener) Write(p []byte) (int, error) {
	for part := range bytes.Lines(p) {
		if l.line = append(l.line, part...); !bytes.HasSuffix(part, []byte("\n")) {
			break
		}
		if answer, ok := bytes.CutPrefix(l.line, l.prefix); ok {
			l.answers = append(l.answers, bytes.Clone(answer))
		} else if l.said = append(l.said, l.line...); len(l.said) > 2*maxMessages {
			l.said = bytes.Clone(l.said[len(l.said)-maxMessages:])
		}
		l.line = l.line[:0]
	}
	return len(p), nil
}

func (l *listener) messages() string {
	all := string(l.said) + string(l.line)
	return all[max(0, len(all)-maxMessages):]
}

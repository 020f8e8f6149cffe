// Package nix runs the nix program: it reads a flake, lists its outputs as garnix did, and tells which derivations they
// are. Everything is evaluated purely, from a locked reference, by the one expression that the workflows use as well.
package nix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	// stopTime is how long nix may take to end after it was told to.
	stopTime = 5 * time.Second
	// maxMessages is how much of the end of the messages is kept, in bytes; the error comes last.
	maxMessages = 256 << 10
	// leastJobs and mostJobs bound how many processes run by default: an evaluation takes hundreds of megabytes.
	leastJobs, mostJobs = 2, 4
)

// Runner runs nix. It may be used from several goroutines.
type Runner struct {
	program  string
	env      []string
	jobs     int // evaluations at a time
	progress func(what string)
}

// New returns a runner; whether nix is there is seen when it is first run. Progress is told what goes on, by several
// goroutines at once, and may be nil.
func New(progress func(what string)) *Runner {
	jobs := min(max(runtime.NumCPU(), leastJobs), mostJobs)
	return &Runner{program: "nix", env: os.Environ(), jobs: jobs, progress: progress}
}

func (r *Runner) report(format string, args ...any) {
	if r.progress != nil {
		r.progress(fmt.Sprintf(format, args...))
	}
}

// run runs nix in a directory and returns what it said and printed. That nix did not like what it was asked is a *Failure,
// and comes with what it said. The tag is that of the answers to listen for.
func (r *Runner) run(ctx context.Context, dir, tag string, args ...string) (said *listener, stdout []byte, err error) {
	said = &listener{prefix: []byte("trace: " + tag + " ")}
	command := exec.CommandContext(ctx, r.program, args...)
	command.Dir, command.Env = dir, environment(r.env, dir)
	command.Stderr, command.WaitDelay = said, stopTime
	ownSession(command)
	stdout, err = command.Output()
	exit, refused := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		killSession(command)
		return said, nil, fmt.Errorf("run nix: %w", context.Cause(ctx))
	case errors.Is(err, exec.ErrNotFound):
		return said, nil, errors.New("nix is not installed\n" +
			"hint: install it from https://nixos.org/download, or run this where it is")
	case refused:
		return said, nil, newFailure(said.messages(), exit.ProcessState)
	case err != nil:
		return said, nil, fmt.Errorf("run nix: %w", err)
	}
	return said, stdout, nil
}

// environment is the environment of nix: flakes work whatever nix.conf says, and a flake's nixConfig has no say. Of a
// variable that is there twice the last one counts.
func environment(base []string, dir string) []string {
	const own = "extra-experimental-features = nix-command flakes\naccept-flake-config = false\nwarn-dirty = false\nshow-trace = false\n"
	config := ""
	for _, entry := range base {
		if text, ok := strings.CutPrefix(entry, "NIX_CONFIG="); ok {
			config = text + "\n"
		}
	}
	return append(slices.Clip(base), "NIX_CONFIG="+config+own, "PWD="+dir)
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

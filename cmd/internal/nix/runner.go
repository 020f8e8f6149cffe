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
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"garnix2gha/generator/diag"
)

const (
	stopTime            = 5 * time.Second // how long nix may take to end after it was told to
	maxMessages         = 256 << 10       // bytes of the end of the messages that are kept; the error comes last
	leastJobs, mostJobs = 2, 4            // processes at a time, each of which takes hundreds of megabytes
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

// environment is nix's: flakes work, and a flake's nixConfig has no say. Of a variable that is there twice the last counts.
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

// Cause says whose fault a failure is.
type Cause int

// The causes.
const (
	Evaluation Cause = iota // the flake does not evaluate, here or elsewhere
	NeedsBuild              // evaluating needs a build (import from derivation) that this machine does not do
	Machine                 // network, memory, disk: it says nothing about the flake
)

// Failure is nix refusing what it was asked.
type Failure struct {
	Message string // nix's last error on one line, safe to print
	Hint    string // the next step; may be empty
	Cause   Cause
}

// Error returns the message and, on a line of its own, the hint.
func (f *Failure) Error() string {
	if f.Hint == "" {
		return f.Message
	}
	return f.Message + "\nhint: " + f.Hint
}

const maxMessage = 500 // characters

// newFailure reads the messages of a nix that ended in failure.
func newFailure(messages string, state *os.ProcessState) *Failure {
	const sigkill = 9
	// The wordings of Nix 2.8 and of later ones.
	needsBuild := regexp.MustCompile(`(?i)allow-import-from-derivation|is required to build '|platform mismatch|required system( or feature)?:? `)
	machine := regexp.MustCompile(`(?i)^(unable to download|cannot connect to|cannot open connection|opening lock file|executing SQLite)` +
		`|could ?n[o']t resolve host|connection (refused|reset|timed out)|timeout was reached|could not read from remote repository` +
		`|could not read Username|no space left on device|cannot allocate memory|out of memory|too many open files|database is (busy|locked)`)
	gone := regexp.MustCompile(`(?i)HTTP error 4(04|10)`)
	f, signal := &Failure{Message: lastError(messages)}, killedBy(state)
	switch {
	case signal == sigkill:
		return &Failure{Message: "nix was killed", Hint: "did the machine run out of memory?", Cause: Machine}
	case f.Message == "" && signal != 0:
		f.Message = fmt.Sprintf("nix crashed with signal %d", signal)
	case f.Message == "":
		f.Message = "evaluation failed"
	case strings.HasPrefix(f.Message, "evaluation aborted"):
	case needsBuild.MatchString(messages):
		f.Cause = NeedsBuild
	case machine.MatchString(f.Message) && !gone.MatchString(f.Message):
		f.Cause = Machine
	}
	return f
}

// lastError is nix's last error, which is the innermost one, on one line; without one it is the last line. Where it
// happened is left out, since it moves with every edit; only a syntax error says nothing without its place.
func lastError(messages string) string {
	const most = 12 // lines
	placeLine := regexp.MustCompile(`^at (/[^ ]+:\d+:\d+):?$`)
	errorLine := regexp.MustCompile(`^ *error:`)
	traceLine := regexp.MustCompile(`^(at (/|«)|… |\(use .--show-trace)`)
	lines := strings.Split(strings.TrimSpace(diag.WithoutColors(messages)), "\n")
	at := len(lines) - 1
	for i, line := range slices.Backward(lines) {
		if errorLine.MatchString(line) {
			at = i
			break
		}
	}
	lines[at] = errorLine.ReplaceAllString(lines[at], "")
	syntax := strings.HasPrefix(strings.TrimSpace(lines[at]), "syntax error")
	var kept []string
	for _, line := range lines[at:min(len(lines), at+most)] {
		line = strings.TrimSpace(line)
		if place := placeLine.FindStringSubmatch(line); syntax && place != nil {
			kept = append(kept, "at", place[1])
		}
		if traceLine.MatchString(line) || line == "" && len(kept) > 0 && !syntax {
			break
		}
		if line != "" {
			kept = append(kept, line)
		}
	}
	return diag.OneLine(strings.Join(kept, " "), maxMessage)
}

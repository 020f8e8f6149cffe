// Why nix refuses.

package nix

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"garnix2gha/generator/diag"
)

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

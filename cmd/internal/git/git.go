// Package git runs the git program: it tells which files of a repository are tracked and what state they are in. It
// changes nothing.
package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"garnix2gha/generator/diag"
)

// What a caller may want to tell apart. Each says what to do.
var (
	ErrNotInstalled = errors.New("git is not installed\nhint: install it; what is tracked is git's to say")
	ErrNoRepository = errors.New("this is no git repository\nhint: run it in a clone, or name one with -C")
	ErrNoCommit     = errors.New("the repository has no commit yet\nhint: commit first")
)

const (
	// stopTime is how long git may take to end after it was told to.
	stopTime = 5 * time.Second
	// maxMessage bounds what is repeated of git's messages, in characters.
	maxMessage = 500
)

// WorkTree is a folder within the work tree of a repository, which need not be its top. All paths are slash paths
// relative to this folder, and files elsewhere are not seen.
type WorkTree struct {
	program, dir string
}

// Open finds git and the work tree that the folder is in.
func Open(ctx context.Context, dir string) (*WorkTree, error) {
	program, err := exec.LookPath("git")
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotInstalled
	}
	if err != nil {
		return nil, fmt.Errorf("find git: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("find work tree: %w", err)
	}
	w := &WorkTree{program: program, dir: dir}
	inside, err := w.run(ctx, "rev-parse", "--is-inside-work-tree")
	if failed, ok := errors.AsType[*failure](err); ok && strings.Contains(failed.message, "not a git repository") {
		return nil, ErrNoRepository
	}
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(string(inside)) != "true" {
		return nil, ErrNoRepository
	}
	return w, nil
}

// Tracked lists what the index holds, in git's order: files, symbolic links and the folders of submodules, also those
// that are missing from the work tree.
func (w *WorkTree) Tracked(ctx context.Context) ([]string, error) {
	// An unmerged path is in the index up to three times.
	return w.paths(ctx, "ls-files", "-z", "--deduplicate")
}

// Changed lists the tracked files that differ from the last commit, in the index or in the work tree, in git's order.
func (w *WorkTree) Changed(ctx context.Context) ([]string, error) {
	if _, err := w.Head(ctx); err != nil {
		return nil, err
	}
	return w.paths(ctx, "diff", "--name-only", "-z", "--relative", "--no-renames", "--no-ext-diff", "HEAD", "--", ".")
}

// Head returns the last commit as 40 or 64 hexadecimal digits; ErrNoCommit if there is none.
func (w *WorkTree) Head(ctx context.Context) (string, error) {
	out, err := w.run(ctx, "rev-parse", "--quiet", "--verify", "HEAD^{commit}")
	if failed, ok := errors.AsType[*failure](err); ok && failed.code == 1 {
		return "", ErrNoCommit
	}
	return strings.TrimSpace(string(out)), err
}

// Standing is how far files have got on their way to GitHub, as far as this clone knows.
type Standing struct {
	Committed bool // they are as in the last commit, and it has them
	Pushed    bool // a remote has the last commit, or these files of it on its default branch
	Merged    bool // the remote's default branch has them, or this clone does not know which one that is
	HTTPS     bool // the remote is reached over https, with a token instead of a key; known only of what is not pushed
}

// Standing asks about files, which need not exist.
func (w *WorkTree) Standing(ctx context.Context, files []string) (Standing, error) {
	const trunk = "refs/remotes/origin/HEAD"
	open, err := w.paths(ctx, append([]string{"status", "--porcelain", "-z", "--ignored", "--untracked-files=all", "--"}, files...)...)
	if err != nil || len(open) > 0 {
		return Standing{}, err
	}
	differ, unknown := w.paths(ctx, append([]string{"diff", "--name-only", "-z", "--no-ext-diff", trunk, "HEAD", "--"}, files...)...)
	if unknown == nil && len(differ) == 0 {
		return Standing{Committed: true, Pushed: true, Merged: true}, nil
	}
	branches, err := w.run(ctx, "for-each-ref", "--contains=HEAD", "--count=1", "refs/remotes")
	if err != nil || len(branches) > 0 {
		return Standing{Committed: true, Pushed: true, Merged: unknown != nil}, err
	}
	address, err := w.run(ctx, "ls-remote", "--get-url") // asks nobody, and fails without a remote
	return Standing{Committed: true, HTTPS: err == nil && bytes.HasPrefix(address, []byte("https://"))}, ctx.Err()
}

func (w *WorkTree) paths(ctx context.Context, args ...string) ([]string, error) {
	out, err := w.run(ctx, args...)
	if err != nil {
		return nil, err
	}
	var paths []string
	for path := range bytes.SplitSeq(out, []byte{0}) {
		if len(path) > 0 {
			paths = append(paths, string(path))
		}
	}
	return paths, nil
}

// failure is git refusing what it was asked.
type failure struct {
	command, message string
	code             int
}

// Error names the command and repeats git's last words on one line.
func (f *failure) Error() string {
	if f.message == "" {
		return fmt.Sprintf("git %s: exit status %d", f.command, f.code)
	}
	return fmt.Sprintf("git %s: %s", f.command, f.message)
}

func (w *WorkTree) run(ctx context.Context, args ...string) ([]byte, error) {
	// A monitor is a program that the repository's own configuration names.
	command := exec.CommandContext(ctx, w.program, append([]string{"-c", "core.fsmonitor=false", "--literal-pathspecs"}, args...)...)
	command.Dir = w.dir
	command.Env = append(os.Environ(), "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "PWD="+w.dir)
	command.WaitDelay = stopTime
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("run git: %w", context.Cause(ctx))
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, &failure{command: args[0], message: diag.OneLine(strings.TrimPrefix(stderr.String(), "fatal: "), maxMessage), code: exit.ExitCode()}
	}
	if err != nil {
		return nil, fmt.Errorf("run git: %w", err)
	}
	return out, nil
}

// Package git runs the git program: which files of a repository are tracked, and how they stand. It changes nothing.
package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
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
	stopTime   = 5 * time.Second // how long git may take to end after it was told to
	maxMessage = 500             // characters of git's messages that are repeated
)

// WorkTree is a folder within the work tree of a repository, which need not be its top. All paths are slash paths
// relative to this folder, and files elsewhere are not seen. Whether it is one is seen when it is first asked.
type WorkTree string

// Tracked lists the index in git's order: files, links and folders of submodules, whether the work tree has them or not.
func (w WorkTree) Tracked(ctx context.Context) ([]string, error) {
	// An unmerged path is in the index up to three times; --deleted adds no path, and is refused without a work tree.
	return w.paths(ctx, "ls-files", "-z", "--deduplicate", "--cached", "--deleted")
}

// Changed lists the tracked files that differ from the last commit, in the index or in the work tree, in git's order.
func (w WorkTree) Changed(ctx context.Context) ([]string, error) {
	if _, err := w.Head(ctx); err != nil {
		return nil, err
	}
	return w.paths(ctx, "diff", "--name-only", "-z", "--relative", "--no-renames", "--no-ext-diff", "HEAD", "--", ".")
}

// Untracked lists those of the paths that are in the work tree and not in the index, ignored or not, in git's order.
func (w WorkTree) Untracked(ctx context.Context, among []string) ([]string, error) {
	return w.paths(ctx, append([]string{"ls-files", "-z", "--others", "--"}, among...)...)
}

// Head returns the last commit as 40 or 64 hexadecimal digits; ErrNoCommit if there is none.
func (w WorkTree) Head(ctx context.Context) (string, error) {
	out, err := w.run(ctx, "rev-parse", "--quiet", "--verify", "HEAD^{commit}")
	if refused, ok := errors.AsType[*exec.ExitError](err); ok && refused.ExitCode() == 1 {
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
	Trunk     bool // the branch that is checked out is the remote's default one, or called as most of those are; known only of what is not committed
	Converted bool // the last commit has files of the mark; known only of what is not committed
}

// Standing asks about files, which need not exist, and the mark, one of them.
func (w WorkTree) Standing(ctx context.Context, files []string, mark string) (Standing, error) {
	const origin = "refs/remotes/origin/"
	open, err := w.paths(ctx, append([]string{"status", "--porcelain", "-z", "--ignored", "--untracked-files=all", "--"}, files...)...)
	if err != nil {
		return Standing{}, err
	}
	if len(open) > 0 {
		branch, _ := w.run(ctx, "symbolic-ref", "--short", "HEAD") // none is checked out
		standard, err := w.run(ctx, "symbolic-ref", "--short", origin+"HEAD")
		name := strings.TrimPrefix(string(standard), "origin/")
		before, _ := w.paths(ctx, "ls-tree", "-z", "--name-only", "HEAD", "--", mark) // there may be no commit
		return Standing{
			Trunk:     name == string(branch) || err != nil && slices.Contains([]string{"main\n", "master\n"}, string(branch)),
			Converted: len(before) > 0,
		}, ctx.Err()
	}
	unknown := true
	for _, trunk := range []string{"HEAD", "main", "master"} { // a remote that was added has no HEAD
		differ, err := w.paths(ctx, append([]string{"diff", "--name-only", "-z", "--no-ext-diff", origin + trunk, "HEAD", "--"}, files...)...)
		if err == nil && len(differ) == 0 {
			return Standing{Committed: true, Pushed: true, Merged: true}, nil
		}
		if unknown = err != nil; !unknown {
			break
		}
	}
	branches, err := w.run(ctx, "for-each-ref", "--contains=HEAD", "--count=1", "refs/remotes")
	if err != nil || len(branches) > 0 {
		return Standing{Committed: true, Pushed: true, Merged: unknown}, err
	}
	address, err := w.run(ctx, "ls-remote", "--get-url") // asks nobody, and fails without a remote
	return Standing{Committed: true, HTTPS: err == nil && bytes.HasPrefix(address, []byte("https://"))}, ctx.Err()
}

func (w WorkTree) paths(ctx context.Context, args ...string) ([]string, error) {
	out, err := w.run(ctx, args...)
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 }), err
}

func (w WorkTree) run(ctx context.Context, args ...string) ([]byte, error) {
	// A monitor is a program that the repository's own configuration names. So is a filter, by which git reads a file that
	// may have changed; there is no leaving out those of any name, and every git status in such a folder runs them.
	command := exec.CommandContext(ctx, "git", append([]string{"-c", "core.fsmonitor=false"}, args...)...)
	command.Dir, command.WaitDelay = string(w), stopTime
	command.Env = append(command.Environ(),
		"LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_LITERAL_PATHSPECS=1")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	exit, refused := errors.AsType[*exec.ExitError](err)
	said := stderr.String()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("run git: %w", context.Cause(ctx))
	case errors.Is(err, exec.ErrNotFound):
		return nil, ErrNotInstalled
	case refused && (strings.Contains(said, "not a git repository") || strings.Contains(said, "must be run in a work tree")):
		return nil, ErrNoRepository
	case refused:
		return nil, fmt.Errorf("git %s: %w: %s", args[0], exit, diag.OneLine(said, maxMessage))
	case err != nil:
		return nil, fmt.Errorf("run git: %w", err)
	}
	return out, nil
}

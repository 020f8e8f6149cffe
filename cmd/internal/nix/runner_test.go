//go:build unix

package nix

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/flake"
)

func TestMissingNixIsNamed(t *testing.T) {
	t.Parallel()
	_, err := running("garnix2gha-has-no-such-program").Open(t.Context(), t.TempDir())
	require.ErrorContains(t, err, "nix is not installed")
	assert.ErrorContains(t, err, "hint: ")
}

func TestFlakesAreEnabledAndNothingOfTheEnvironmentIsLost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runner := running(script(t, `printf '%s\n' "$KEPT" "$PWD" "$NIX_CONFIG"`))
	runner.env = []string{"KEPT=yes", "PWD=/elsewhere", "NIX_CONFIG=cores = 3\nwarn-dirty = true"}
	_, out, err := runner.run(t.Context(), dir, "")
	require.NoError(t, err)
	assert.Equal(t, "yes\n"+dir+"\ncores = 3\nwarn-dirty = true\nextra-experimental-features = nix-command flakes\n"+
		"accept-flake-config = false\nwarn-dirty = false\nshow-trace = false\n\n", string(out))
}

func TestEndOfTheRunEndsEverythingNixStarted(t *testing.T) {
	t.Parallel()
	for name, trap := range map[string]string{"obedient": "", "deaf": "trap '' TERM; "} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "pid")
			runner := running(script(t, trap+`sh -c 'echo $$ >"`+file+`.new"; mv "`+file+`.new" "`+file+`"; sleep 60; sleep 60'`))
			ctx, cancel := context.WithCancelCause(t.Context())
			done := make(chan error)
			go func() {
				_, _, err := runner.run(ctx, t.TempDir(), "")
				done <- err
			}()
			var pid int
			require.Eventually(t, func() bool {
				text, err := os.ReadFile(file)
				pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
				return err == nil && pid > 0
			}, 10*time.Second, 10*time.Millisecond)
			stopped := errors.New("stopped by the user")
			cancel(stopped)
			require.ErrorIs(t, <-done, stopped)
			assert.Eventually(t, func() bool { return ended(pid) }, 10*time.Second, 10*time.Millisecond)
		})
	}
}

// ended reports whether a process is gone; one that nobody has waited for yet counts as gone.
func ended(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestNoMoreProcessesThanJobs(t *testing.T) {
	t.Parallel()
	dir, log := t.TempDir(), filepath.Join(t.TempDir(), "log")
	f := &Flake{dir: t.TempDir(), runner: running(script(t, `f=$(mktemp "`+dir+`/XXXXXX"); ls "`+dir+`" | wc -l >>"`+log+`"; sleep 0.05; rm "$f"; exit 1`))}
	f.runner.jobs = 2
	var paths []flake.AttrPath
	for i := range 8 { // each system has a process of its own
		paths = append(paths, pkg(fmt.Sprint("system", i), "a"))
	}
	_, err := f.Describe(t.Context(), paths)
	require.NoError(t, err)
	content, err := os.ReadFile(log)
	require.NoError(t, err)
	counts := strings.Fields(string(content))
	require.Len(t, counts, 8)
	for _, count := range counts {
		assert.Contains(t, []string{"1", "2"}, count)
	}
}

func TestAnswersAreHeardAndOfTheMessagesTheEnd(t *testing.T) {
	t.Parallel()
	noisy := running(script(t, `echo 'trace: TAG {"a": 1}' >&2; yes warning: noise | head -c 5000000 >&2; echo >&2
printf 'trace: TAG' >&2; sleep 0.1; echo ' 2' >&2; echo 'trace: OTHER 3' >&2; printf 'error: the last word' >&2; exit 1`))
	said, _, err := noisy.run(t.Context(), t.TempDir(), "TAG")
	assert.EqualError(t, err, "the last word")
	require.Len(t, said.answers, 2)
	assert.JSONEq(t, `{"a": 1}`, string(said.answers[0]))
	assert.JSONEq(t, `2`, string(said.answers[1]))
	assert.LessOrEqual(t, len(said.messages()), maxMessages)
	assert.Contains(t, said.messages(), "OTHER 3")
}

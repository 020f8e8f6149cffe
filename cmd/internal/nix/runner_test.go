//go:build unix

package nix

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMissingNixIsNamed(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"garnix2gha-has-no-such-program", "/nonexistent/nix"} {
		_, err := New(Settings{Program: program}).Open(t.Context(), t.TempDir())
		require.ErrorIs(t, err, ErrNotInstalled)
		assert.ErrorContains(t, err, "hint: ")
	}
}

func TestFlakesAreEnabledAndNothingOfTheEnvironmentIsLost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runner := New(Settings{
		Program: script(t, `printf '%s\n' "$KEPT" "$PWD" "$NIX_CONFIG"`),
		Env:     []string{"KEPT=yes", "PWD=/elsewhere", "NIX_CONFIG=cores = 3\nwarn-dirty = true"},
	})
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
			runner := New(Settings{Program: script(t, trap+`sh -c 'echo $$ >"`+file+`.new"; mv "`+file+`.new" "`+file+`"; sleep 60; sleep 60'`)})
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

func TestWaitingForAnotherProcessCanBeEnded(t *testing.T) {
	t.Parallel()
	runner := New(Settings{Program: script(t, "exit 0"), Jobs: 1})
	runner.slots <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := runner.run(ctx, t.TempDir(), "")
	assert.ErrorIs(t, err, context.Canceled)
}

func TestNoMoreProcessesThanJobs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runner := New(Settings{Jobs: 2, Program: script(t, `f=$(mktemp "`+dir+`/XXXXXX"); ls "`+dir+`" | wc -l; sleep 0.05; rm "$f"`)})
	counts := make(chan int)
	for range 8 {
		go func() {
			_, out, _ := runner.run(t.Context(), dir, "")
			n, _ := strconv.Atoi(strings.TrimSpace(string(out)))
			counts <- n
		}()
	}
	for range 8 {
		n := <-counts
		assert.Positive(t, n)
		assert.LessOrEqual(t, n, 2)
	}
}

func TestAnswersAreHeardAndOfTheMessagesTheEnd(t *testing.T) {
	t.Parallel()
	noisy := New(Settings{Program: script(t, `echo 'trace: TAG {"a": 1}' >&2; yes warning: noise | head -c 5000000 >&2; echo >&2
printf 'trace: TAG' >&2; sleep 0.1; echo ' 2' >&2; echo 'trace: OTHER 3' >&2; printf 'error: the last word' >&2; exit 1`)})
	said, _, err := noisy.run(t.Context(), t.TempDir(), "TAG")
	assert.EqualError(t, err, "the last word")
	require.Len(t, said.answers, 2)
	assert.JSONEq(t, `{"a": 1}`, string(said.answers[0]))
	assert.JSONEq(t, `2`, string(said.answers[1]))
	assert.LessOrEqual(t, len(said.messages()), maxMessages)
	assert.Contains(t, said.messages(), "OTHER 3")
}

func TestProgressIsToldOneAtATime(t *testing.T) {
	t.Parallel()
	var told []string
	runner := New(Settings{Progress: func(what string) { told = append(told, what) }})
	done := make(chan bool)
	for range 10 {
		go func() { runner.report("%d of %d", 1, 2); done <- true }()
	}
	for range 10 {
		<-done
	}
	assert.Len(t, told, 10)
	assert.Equal(t, "1 of 2", told[0])
}

package main

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// silentInput is a person who types nothing. It tells once somebody waits for them.
type silentInput chan struct{}

func (s silentInput) Read([]byte) (int, error) {
	close(s)
	select {}
}

func TestAnInterruptEndsTheWaitForInputAtOnce(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"secrets", "sync", "-C", folder(t, map[string]string{"garnix.yaml": ""}), "--token", "-"},
		{"cache", "verify", "--url", newSubstituter(t, "").URL, "--paths", "-"},
	} {
		ctx, interrupt := context.WithCancel(t.Context())
		input := silentInput(make(chan struct{}))
		go func() {
			<-input
			interrupt()
		}()
		var stderr bytes.Buffer
		code := run(ctx, args, environment{stdin: input, stdout: &stderr, stderr: &stderr, getenv: func(string) string { return "" }})
		assert.Equal(t, exitStopped, code)
		assert.Contains(t, stderr.String(), "garnix2gha: interrupted, nothing was changed\n")
	}
}

func TestAnInterruptDuringAChangeElsewhereSaysHowToSeeIt(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	cachix := newCachix(t, "")
	cachix.override["POST /api/v1/cache/new"] = func(http.ResponseWriter, *http.Request) {
		interrupt()
		panic(http.ErrAbortHandler)
	}
	var stderr bytes.Buffer
	code := run(ctx, []string{"cache", "create", "new"}, environment{
		stdin: strings.NewReader(""), stdout: &stderr, stderr: &stderr, getenv: func(name string) string { return cachix.env(accountToken)[name] },
	})
	assert.Equal(t, exitStopped, code)
	assert.Contains(t, stderr.String(), "garnix2gha: interrupted; a second run takes a cache that is there already as it is\n")
	assert.NotContains(t, stderr.String(), "nothing was changed")
}

func TestWhatWasWrittenBeforeAnInterruptIsNamed(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"garnix.yaml": ""})
	o := &options{environment: environment{stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}, getenv: func(string) string { return "" }}}
	assert.Equal(t, ", nothing was changed", o.changed())
	root := newRoot(o)
	root.SetArgs([]string{"-C", dir, "init"})
	require.NoError(t, root.ExecuteContext(t.Context()))
	assert.Equal(t, " after writing .github/garnix2gha/config.yaml", o.changed())
}

func TestWorkThatDoesNotEndIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		release := make(chan struct{})
		began := time.Now()
		time.AfterFunc(time.Minute, interrupt)
		assert.False(t, bounded(ctx, grace, func() { <-release }))
		assert.Equal(t, time.Minute+grace, time.Since(began))
		close(release)

		got := 0
		assert.True(t, bounded(ctx, grace, func() { time.Sleep(time.Second); got = 2 }), "what ends in time counts")
		assert.Equal(t, 2, got)
	})
}

package secretsource

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func stdin(text string) Reader { return Reader{Stdin: strings.NewReader(text)} }

func TestReadTakesOffOneNewline(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, raw, want string }{
		{"no newline is no change", "token", "token"},
		{"one newline goes", "token\n", "token"},
		{"of two newlines one stays", "token\n\n", "token\n"},
		{"a Windows line end goes whole", "token\r\n", "token"},
		{"a carriage return alone stays", "token\r", "token\r"},
		{"spaces around stay", " token \n", " token "},
		{"newlines inside stay", "a\nb\n", "a\nb"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			value, err := stdin(tc.raw).Read(t.Context(), Source{Kind: Stdin})
			require.NoError(t, err)
			assert.Equal(t, tc.want, value.Reveal())
		})
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	env := func(string) string { return "" }
	for _, tc := range []struct {
		name   string
		reader Reader
		source Source
		want   string
	}{
		{"an empty standard input", stdin(""), Source{Kind: Stdin}, "it is empty"},
		{"a lone newline", stdin("\n"), Source{Kind: Stdin}, "it is empty"},
		{"blanks", stdin(" \t\n"), Source{Kind: Stdin}, "it is empty"},
		{"binary data", stdin("hunter2\x00"), Source{Kind: Stdin}, "binary"},
		{"a standard input without end", Reader{Stdin: zeros{}}, Source{Kind: Stdin}, "longer than 48 KiB"},
		{"a standard input that fails", Reader{Stdin: iotest.ErrReader(errors.New("torn"))}, Source{Kind: Stdin}, "torn"},
		{"no standard input", Reader{}, Source{Kind: Stdin}, "no standard input"},
		{"a variable that is not set", Reader{Getenv: env}, Source{Kind: Env, Name: "UNSET"}, "not set, or empty"},
		{"a file that is not there", Reader{}, Source{Kind: File, Name: "/nonexistent/x"}, "no such file"},
		{"a folder", Reader{}, Source{Kind: File, Name: "/"}, "is a directory"},
		{"an unknown kind", Reader{}, Source{Kind: "vault"}, "unknown source"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			value, err := tc.reader.Read(t.Context(), tc.source)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.True(t, value.Empty())
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestReadFromVariableAndFile(t *testing.T) {
	t.Parallel()
	value, err := Reader{Getenv: func(name string) string { return "from " + name }}.Read(t.Context(), Source{Kind: Env, Name: "X"})
	require.NoError(t, err)
	assert.Equal(t, "from X", value.Reveal())

	value, err = Reader{}.Read(t.Context(), Source{Kind: File, Name: write(t, "token", "from file\n")})
	require.NoError(t, err)
	assert.Equal(t, "from file", value.Reveal())
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// script is a command that reads a shell script from a file, since no shell splits the command itself.
func script(t *testing.T, text string) Source {
	t.Helper()
	return Source{Kind: Command, Args: []string{"sh", write(t, "script", text)}}
}

func TestReadFromCommand(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	value, err := Reader{Stderr: &said}.Read(t.Context(), script(t, "echo said >&2; echo hunter2"))
	require.NoError(t, err)
	assert.Equal(t, "said\n", said.String(), "its own words are for the user")
	assert.Equal(t, "hunter2", value.Reveal(), "what it says beside the secret is no part of it")

	value, err = Reader{}.Read(t.Context(), script(t, `yes talk | head -c 1000000 >&2; printf '%s' "$(head -c 49152 /dev/zero | tr '\0' x)"`))
	require.NoError(t, err, "a talkative program, and the longest secret")
	assert.Len(t, value.Reveal(), 48<<10)

	source, err := ParseSource("command:printf %s|%s 'a b' $HOME")
	require.ErrorContains(t, err, "no shell runs it")
	assert.Zero(t, source)
	source, err = ParseSource(`command:printf '%s,' "a b" c\ d "$HOME" * '|'`)
	require.NoError(t, err)
	value, err = Reader{}.Read(t.Context(), source)
	require.NoError(t, err)
	assert.Equal(t, "a b,c d,$HOME,*,|,", value.Reveal(), "arguments arrive as they are written")
}

func TestReadFromCommandRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		source Source
		want   string
	}{
		{"a program that is not there", Source{Kind: Command, Args: []string{"garnix2gha-no-such-program", "hunter2"}}, "not installed or not on PATH"},
		{"a path that is no program", Source{Kind: Command, Args: []string{"/nonexistent/program"}}, "no such file"},
		{"a program that fails", script(t, "echo hunter2; echo no key fits >&2; exit 3"), "exit status 3"},
		{"a program that prints nothing", script(t, "exit 0"), "it is empty"},
		{"a program without end", Source{Kind: Command, Args: []string{"yes", "hunter2"}}, "longer than 48 KiB"},
		{"standard input, which it does not get", Source{Kind: Command, Args: []string{"cat"}}, "it is empty"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			value, err := Reader{Stdin: strings.NewReader("hunter2")}.Read(t.Context(), tc.source)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.True(t, value.Empty())
		})
	}
}

func TestReadFromCommandEndsWhenToldTo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	fifo := filepath.Join(t.TempDir(), "started")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	go func() {
		_, _ = os.ReadFile(fifo) // until the program runs
		cancel()
	}()
	_, err := Reader{}.Read(ctx, script(t, "echo > "+fifo+"; exec sleep 600"))
	require.ErrorIs(t, err, context.Canceled)
}

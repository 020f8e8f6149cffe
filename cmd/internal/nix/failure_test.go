package nix

import (
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMessageIsTheInnermostErrorOnOneLine(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, messages, want string
	}{
		{name: "old nix", messages: "warning: x\nerror: no luck\n(use '--show-trace' to show detailed location information)\n", want: "no luck"},
		{name: "several lines", messages: "error: no\n       luck\n       today\n\n       at /nix/store/x:1:2:\n", want: "no luck today"},
		{
			name: "newer nix, with its trace before it",
			messages: "error:\n       … while evaluating the attribute 'x'\n         at «string»:1:2:\n            1| x\n             | ^\n\n" +
				"       error: attribute 'y' missing\n       at /nix/store/a/flake.nix:1:2:\n",
			want: "attribute 'y' missing",
		},
		{
			name:     "a syntax error with its place",
			messages: "error: syntax error, unexpected end of file\n\n       at /nix/store/x/flake.nix:1:13:\n\n            1| {\n",
			want:     "syntax error, unexpected end of file at /nix/store/x/flake.nix:1:13",
		},
		{name: "assertions stand below an empty line", messages: "error:\n       Failed assertions:\n       - a\n       - b\n", want: "Failed assertions: - a - b"},
		{name: "colours and control characters", messages: "\x1b[31;1merror:\x1b[0m a\x1b]0;title\x07\x07b\r\tc\u202ed\xff\n", want: "a b c d\uFFFD"},
		{name: "no error line", messages: "warning: x\nSegmentation fault\n\n", want: "Segmentation fault"},
		{name: "nothing", messages: " \n", want: ""},
		{name: "only the word", messages: "error:\n", want: ""},
		{name: "a long one is cut", messages: "error: " + strings.Repeat("é", 1000), want: strings.Repeat("é", maxMessage) + "…"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, lastError(tc.messages))
		})
	}
}

func TestCauseTellsWhoseFaultItIs(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		messages string
		want     Cause
	}{
		{messages: "error: attribute 'x' missing", want: Evaluation},
		{messages: "error: evaluation aborted with the following error message: 'Connection refused, platform mismatch'", want: Evaluation},
		{messages: "error: unable to download 'https://example.org/x': HTTP error 404", want: Evaluation},
		{messages: "error: unable to download 'https://example.org/x': Couldn't resolve host name (6)", want: Machine},
		{messages: "error: writing to file: No space left on device", want: Machine},
		{messages: "warning: unable to download 'https://example.org/x': Connection refused; retrying\nerror: attribute 'x' missing", want: Evaluation},
		{messages: "error: a 'aarch64-darwin' with features {} is required to build '/nix/store/x.drv', but I am a 'x86_64-linux'", want: NeedsBuild},
		{messages: "error: cannot build '/nix/store/x.drv' during evaluation because the option 'allow-import-from-derivation' is disabled", want: NeedsBuild},
		{messages: "error: Cannot build '/nix/store/x.drv'.\n       Reason: platform mismatch\n       Required system: 'aarch64-darwin'", want: NeedsBuild},
	} {
		assert.Equal(t, tc.want, newFailure(tc.messages, &os.ProcessState{}).Cause, tc.messages)
	}
}

func TestNixThatIsKilledSaysNothingAboutTheFlake(t *testing.T) {
	t.Parallel()
	_, _, err := running(script(t, `echo "error: half a" >&2; kill -9 $$`)).run(t.Context(), t.TempDir(), "")
	failure, ok := errors.AsType[*Failure](err)
	require.True(t, ok)
	assert.Equal(t, Failure{Message: "nix was killed", Hint: "did the machine run out of memory?", Cause: Machine}, *failure)

	_, _, err = running(script(t, `kill -11 $$`)).run(t.Context(), t.TempDir(), "")
	assert.EqualError(t, err, "nix crashed with signal 11")
	_, _, err = running(script(t, `exit 1`)).run(t.Context(), t.TempDir(), "")
	assert.EqualError(t, err, "evaluation failed")
}

func TestMessageNamesNoPathOfTheMachine(t *testing.T) {
	t.Parallel()
	home, err := os.UserHomeDir()
	require.NoError(t, err)
	f := &Flake{dir: "/srv/repo", source: "/nix/store/00000000000000000000000000000000-source"}
	failure := &Failure{Message: "path '/nix/store/00000000000000000000000000000000-source/a.nix' and '/srv/repo/b', in '/srv/repo', needs " +
		"'/nix/store/11111111111111111111111111111111-c.drv' of " + home + "/d"}
	f.tidy(failure)
	assert.Equal(t, "path 'a.nix' and 'b', in '.', needs 'c.drv' of ~/d", failure.Message)
}

func FuzzMessageIsOneHarmlessLine(f *testing.F) {
	f.Add("error:\n       … while x\n       error: a\n\n b")
	f.Add("\x1b[31merror:\x1b[0m \xff\u2028\u202e\x9b")
	f.Add("error: syntax error\n\n at /x:1:2:\n")
	f.Fuzz(func(t *testing.T, messages string) {
		message := lastError(messages)
		assert.True(t, utf8.ValidString(message))
		assert.LessOrEqual(t, utf8.RuneCountInString(message), maxMessage+1)
		assert.NotRegexp(t, "[\\x00-\\x1f\\x7f-\\x{9f}\\x{2028}\\x{2029}\\x{202a}-\\x{202e}\\x{2066}-\\x{2069}]", message)
	})
}

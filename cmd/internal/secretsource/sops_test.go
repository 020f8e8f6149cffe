package secretsource

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// standIn behaves as sops does for the arguments and endings that matter: statuses and messages as in its source.
const standIn = `#!/bin/sh
echo "$@" >>"$0.log"
[ "$1" = -d ] || exit 1
shift
key=
if [ "$1" = --extract ]; then key=$2; shift 2; fi
case $1 in
  missing.yaml) echo 'Error: cannot operate on non-existent file' >&2; exit 100 ;;
  locked.yaml) echo 'Failed to get the data key required to decrypt the SOPS file.' >&2; exit 128 ;;
  tampered.yaml) echo 'MAC mismatch' >&2; exit 51 ;;
  odd.yaml) printf 'Error: \033[31mbad\033[0m thing\nsecond line\n' >&2; exit 7 ;;
  quiet.yaml) exit 7 ;;
  endless.yaml) yes hunter2 | head -c 200000; exit 0 ;;
  slow.yaml) exec sleep 60 ;;
esac
case $key in
  '') echo whole ;;
  '["ci"]["cachix"]') printf 'hunter2' ;;
  '["$(touch pwned)"]') printf 'literal' ;;
  '["broken"]') echo 'error parsing --extract path' >&2; exit 91 ;;
  *) echo "component ['$key'] not found" >&2; exit 1 ;;
esac
`

// Not parallel: a script cannot be run while another test's child process still holds it open for writing.
func TestReadFromSops(t *testing.T) {
	program := filepath.Join(t.TempDir(), "sops stand-in")
	require.NoError(t, os.WriteFile(program, []byte(standIn), 0o700))
	reader := Reader{SopsProgram: program}
	read := func(file string, keys ...string) (string, error) {
		value, err := reader.Read(t.Context(), Source{Kind: Sops, Name: file, Keys: keys})
		return value.Reveal(), err
	}

	for _, tc := range []struct {
		name, file string
		keys       []string
		want       string
	}{
		{"a nested key is extracted", "s.yaml", []string{"ci", "cachix"}, "hunter2"},
		{"without a key the whole file is the secret", "s.bin", nil, "whole"},
		{"no shell sees the key", "s.yaml", []string{"$(touch pwned)"}, "literal"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := read(tc.file, tc.keys...)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
	assert.NoFileExists(t, "pwned")

	for _, tc := range []struct{ name, file, key, want string }{
		{"a file that is not there", "missing.yaml", "k", "no such file"},
		{"a file that no key opens", "locked.yaml", "k", "SOPS_AGE_KEY_FILE"},
		{"a file changed by hand", "tampered.yaml", "k", "MAC mismatch"},
		{"a key that is not there", "s.yaml", "nothing", "no such key"},
		{"a key that sops does not understand", "s.yaml", "broken", "does not understand the key"},
		{"another fault shows its first line, made printable", "odd.yaml", "k", "status 7: Error: \uFFFD[31mbad\uFFFD[0m thing"},
		{"a fault without words", "quiet.yaml", "k", "status 7: no message"},
		{"an answer that is too long", "endless.yaml", "k", "longer than 64 KiB"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := read(tc.file, tc.key)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "second line")
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, err.Error(), "\x1b")
		})
	}

	t.Run("a path that starts with a dash is no option", func(t *testing.T) {
		_, err := read("--help")
		require.NoError(t, err)
		log, err := os.ReadFile(program + ".log")
		require.NoError(t, err)
		assert.Contains(t, string(log), "-d ./--help\n")
	})
	t.Run("a program that is not installed is named", func(t *testing.T) {
		_, err := Reader{SopsProgram: "sops-that-is-not-there"}.Read(t.Context(), Source{Kind: Sops, Name: "s.yaml"})
		require.ErrorContains(t, err, `the program "sops-that-is-not-there" is not installed`)
	})
	t.Run("a program that cannot be run is a fault", func(t *testing.T) {
		_, err := Reader{SopsProgram: t.TempDir()}.Read(t.Context(), Source{Kind: Sops, Name: "s.yaml"})
		require.ErrorContains(t, err, "run sops")
	})
	t.Run("a cancelled read ends sops", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := reader.Read(ctx, Source{Kind: Sops, Name: "slow.yaml"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Less(t, time.Since(start), 10*time.Second)
	})
}

package secretsource

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"filippo.io/age"
	"filippo.io/age/armor"
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
	env := func(name string) (string, bool) {
		return map[string]string{"EMPTY": "", "SET": "v"}[name], name != "UNSET"
	}
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
		{"a standard input without end", Reader{Stdin: zeros{}}, Source{Kind: Stdin}, "longer than 64 KiB"},
		{"a standard input that fails", Reader{Stdin: iotest.ErrReader(errors.New("torn"))}, Source{Kind: Stdin}, "torn"},
		{"no standard input", Reader{}, Source{Kind: Stdin}, "no standard input"},
		{"a variable that is not set", Reader{LookupEnv: env}, Source{Kind: Env, Name: "UNSET"}, "not set"},
		{"a variable that is empty", Reader{LookupEnv: env}, Source{Kind: Env, Name: "EMPTY"}, "it is empty"},
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
	value, err := Reader{LookupEnv: func(string) (string, bool) { return "from env", true }}.Read(t.Context(), Source{Kind: Env, Name: "X"})
	require.NoError(t, err)
	assert.Equal(t, "from env", value.Reveal())

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

// encrypt makes a real age file.
func encrypt(t *testing.T, armored bool, plain string, recipients ...age.Recipient) string {
	t.Helper()
	var file bytes.Buffer
	var sink io.WriteCloser = struct {
		io.Writer
		io.Closer
	}{&file, io.NopCloser(nil)}
	if armored {
		sink = armor.NewWriter(&file)
	}
	encrypted, err := age.Encrypt(sink, recipients...)
	require.NoError(t, err)
	_, err = io.WriteString(encrypted, plain)
	require.NoError(t, err)
	require.NoError(t, encrypted.Close())
	require.NoError(t, sink.Close())
	return file.String()
}

func TestReadFromAge(t *testing.T) {
	t.Parallel()
	mine, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	hybrid, err := age.GenerateHybridIdentity()
	require.NoError(t, err)
	stranger, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	myFile := write(t, "key.txt", "# created: today\n# public key: "+mine.Recipient().String()+"\n"+mine.String()+"\n")
	hybridFile := write(t, "pq.txt", hybrid.String()+"\n")
	strangerFile := write(t, "other.txt", stranger.String()+"\n")
	binary := encrypt(t, false, "hunter2\n", mine.Recipient())

	for _, tc := range []struct {
		name, file string
		identities []string
	}{
		{"a binary file opens", binary, []string{myFile}},
		{"an armored file opens", encrypt(t, true, "hunter2\n", mine.Recipient()), []string{myFile}},
		{"a post-quantum identity opens", encrypt(t, true, "hunter2\n", hybrid.Recipient()), []string{hybridFile}},
		{"the second identity file is tried as well", binary, []string{strangerFile, myFile}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			value, err := Reader{Identities: tc.identities}.Read(t.Context(), Source{Kind: Age, Name: write(t, "s.age", tc.file)})
			require.NoError(t, err)
			assert.Equal(t, "hunter2", value.Reveal())
		})
	}

	for _, tc := range []struct {
		name, file string
		identities []string
		want       string
	}{
		{"no identity is named as the lack", binary, nil, "needs an identity file"},
		{"a stranger's identity opens nothing", binary, []string{strangerFile}, "none of the identities"},
		{"a plain secret is not quoted as a bad header", "hunter2\n", []string{myFile}, "not an age file"},
		{"an armored plain secret neither", armor.Header + "\naHVudGVyMg==\n" + armor.Footer, []string{myFile}, "not an age file"},
		{"a file cut off in its header", binary[:40], []string{myFile}, "damaged"},
		{"a file cut off in its payload", binary[:len(binary)-3], []string{myFile}, "read secret"},
		{"an empty plain text", encrypt(t, false, "\n", mine.Recipient()), []string{myFile}, "it is empty"},
		{"a plain text that is too long", encrypt(t, false, strings.Repeat("x", 70<<10), mine.Recipient()), []string{myFile}, "longer than 64 KiB"},
		{"an identity file that is not there", binary, []string{"/nonexistent/key"}, "no such file"},
		{"an identity file with garbage", binary, []string{write(t, "bad", mine.String()+"hunter2")}, "no usable age identity"},
		{"an SSH key", binary, []string{write(t, "ssh", "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n")}, "an SSH key"},
		{"a plugin's identity", binary, []string{write(t, "plugin", "AGE-PLUGIN-YUBIKEY-1HUNTER2\n")}, "a plugin's identity"},
		{"an encrypted identity file", binary, []string{write(t, "enc", binary)}, "itself encrypted"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			value, err := Reader{Identities: tc.identities}.Read(t.Context(), Source{Kind: Age, Name: write(t, "s.age", tc.file)})
			require.ErrorContains(t, err, tc.want)
			assert.True(t, value.Empty())
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, err.Error(), mine.String())
		})
	}

	_, err = Reader{Identities: []string{myFile}}.Read(t.Context(), Source{Kind: Age, Name: "/nonexistent/s.age"})
	require.ErrorContains(t, err, "no such file")
}

package restapi

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/secretsource"
)

func TestNetrcGivesEachMachineItsPassword(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, in string
		want     []Credential
	}{
		{"nothing", "", nil},
		{"a Cachix entry without a login", "machine a.example password tok\n", []Credential{basic("a.example", "", "tok")}},
		{"an entry over several lines", "machine a.example\n\tlogin me\n\tpassword tok\n", []Credential{basic("a.example", "me", "tok")}},
		{"a missing final newline", "machine a.example password tok", []Credential{basic("a.example", "", "tok")}},
		{"line ends of another system", "machine a.example login me\r\npassword tok\r\n", []Credential{basic("a.example", "me", "tok")}},
		{"two machines on one line", "machine a password x machine b password y", []Credential{basic("a", "", "x"), basic("b", "", "y")}},
		{"both entries of one machine, in order", "machine a password x\nmachine a password y\n", []Credential{basic("a", "", "x"), basic("a", "", "y")}},
		{"an entry without a password is left out", "machine a login me\nmachine b password y\n", []Credential{basic("b", "", "y")}},
		{"an account is skipped", "machine a account password password x\n", []Credential{basic("a", "", "x")}},
		{"a default belongs to no host", "machine a password x\ndefault login me password y\n", []Credential{basic("a", "", "x")}},
		{"comments are skipped", "# machine a password x\n  # so is this\nmachine b password y\n", []Credential{basic("b", "", "y")}},
		{"a hash sign inside a password stays", "machine b password #y\n", []Credential{basic("b", "", "#y")}},
		{"quotes and backslashes", `machine b password "a \"b\" \\ c"`, []Credential{basic("b", "", `a "b" \ c`)}},
		{"a macro is skipped up to the empty line", "macdef init\nmachine a password x\n\nmachine b password y\n", []Credential{basic("b", "", "y")}},
		{"a password that is a keyword", "machine a login me password password\n", []Credential{basic("a", "me", "password")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseNetrc(tc.in)
			require.NoError(t, err)
			assert.Equal(t, revealed(tc.want), revealed(got))
		})
	}
}

func basic(host, login, password string) Credential {
	return Basic(host, login, secretsource.NewValue(password))
}

func revealed(credentials []Credential) []string {
	var out []string
	for _, c := range credentials {
		out = append(out, c.Host+" "+c.header.Reveal()+" "+c.word.Reveal())
	}
	return out
}

func TestNetrcErrorsNeverRepeatTheFile(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"an open quote", "machine a\npassword \"hunter2", "line 2: a quote is not closed"},
		{"an open escape", "password \"hunter2\\", "line 1: a quote is not closed"},
		{"a keyword at the end", "machine hunter2 password", "has no value"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := parseNetrc(tc.in)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestNetrcFileIsRead(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "netrc")
	_, err := ReadNetrc(file)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, os.WriteFile(file, []byte("machine a password x\n"), 0o600))
	got, err := ReadNetrc(file)
	require.NoError(t, err)
	assert.Equal(t, revealed([]Credential{basic("a", "", "x")}), revealed(got))
}

func FuzzNetrcNeverPanics(f *testing.F) {
	f.Add("machine a login b password \"c\\n\"\nmacdef x\n\ndefault\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseNetrc(text)
		if err != nil {
			return
		}
		for _, c := range got {
			require.NotEmpty(t, c.Host)
		}
	})
}

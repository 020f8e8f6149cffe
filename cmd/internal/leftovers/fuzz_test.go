package leftovers

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// FuzzFiles holds for any file: no line without garnix is lost, without a new cache nothing comes, what is left is what was
// said to be left, and a fixed file is not fixed again.
func FuzzFiles(f *testing.F) {
	archives, err := filepath.Glob("testdata/*.txtar")
	require.NoError(f, err)
	for _, name := range archives {
		src, err := os.ReadFile(name)
		require.NoError(f, err)
		for _, file := range txtar.Parse(src).Files {
			if !strings.HasPrefix(file.Name, "want/") {
				f.Add(file.Name, string(file.Data))
			}
		}
	}
	f.Add("x.yml", "a: |\n substituters=https://cache.garnix.io\n#garnix yaml-language-server\r\n- https://cache.garnix.io\r\n- b")
	f.Add("x.json", "[\n\"a\",\n\"https://cache.garnix.io\"]")
	f.Fuzz(func(t *testing.T, name, src string) {
		if len(name) > 60 || !usable(name) {
			name = "nix.conf"
		}
		for _, r := range []Replacement{{}, successor, {PublicKeys: []string{"a:b", "c:d"}}} {
			fixed := fuzzFix(t, name, src, r)
			require.True(t, subsequence(kept(src), []byte(fixed)), "other lines stay: %q", fixed)
			if len(r.PublicKeys) == 0 {
				require.True(t, subsequence([]byte(fixed), []byte(src)), "only removals: %q", fixed)
			}
		}
	})
}

func usable(name string) bool {
	return name != "" && !strings.ContainsAny(name, "\\\x00") && filepath.IsLocal(name) && filepath.Clean(name) == name && name != "." && !gitFolder().MatchString(name) &&
		strings.ToValidUTF8(name, "") == name
}

// kept is what no fix may touch: the lines without garnix, apart from their blanks and commas.
func kept(src string) []byte {
	var out []byte
	for line := range strings.Lines(src) {
		if strings.Contains(lowered(line), "garnix") || strings.Contains(line, keyStart) {
			continue
		}
		for _, c := range []byte(line) {
			if !strings.ContainsRune(", \t\r\n", rune(c)) {
				out = append(out, c)
			}
		}
	}
	return out
}

func subsequence(short, long []byte) bool {
	for i := range short {
		n := bytes.IndexByte(long, short[i])
		if n < 0 {
			return false
		}
		long = long[n+1:]
	}
	return true
}

func fuzzFix(t *testing.T, name, src string, r Replacement) string {
	t.Helper()
	repository := fstest.MapFS{name: {Data: []byte(src)}}
	traces, edits, err := Scan(repository, []string{name}, Options{Replacement: r})
	require.NoError(t, err)
	if bytes.IndexByte([]byte(src)[:min(len(src), sniffBytes)], 0) < 0 {
		requireEveryLineOnce(t, repository, traces)
	}
	if len(edits) == 0 {
		return src
	}
	require.Len(t, edits, 1)
	require.Equal(t, src, string(edits[0].Old))
	fixed := fstest.MapFS{name: {Data: edits[0].New}}
	requireDone(t, repository, fixed, traces, Options{Replacement: r})
	return string(edits[0].New)
}

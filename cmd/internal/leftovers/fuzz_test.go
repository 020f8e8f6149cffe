package leftovers

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// seeds adds every file of the archives whose name passes.
func seeds(f *testing.F, add func(name string, data []byte)) {
	f.Helper()
	archives, err := filepath.Glob("testdata/*.txtar")
	require.NoError(f, err)
	for _, name := range archives {
		src, err := os.ReadFile(name)
		require.NoError(f, err)
		for _, file := range txtar.Parse(src).Files {
			add(file.Name, file.Data)
		}
	}
}

// FuzzFix holds for any Nix text: apart from garnix's URL and key, and comments that name garnix, the tokens stay.
func FuzzFix(f *testing.F) {
	seeds(f, func(name string, data []byte) {
		if strings.HasSuffix(name, ".nix") {
			f.Add(string(data))
		}
	})
	for _, seed := range []string{
		`{ substituters = [ ''a'''b''"https://cache.garnix.io"''c'' ]; }`,
		`{ substituters = [ "$${x}" https://cache.garnix.io ''$${y}'' ]; a = "${''}''}"; }`,
		"{ substituters = ''\n https://cache.garnix.io\n''; }",
		`{ a.a.a.a.substituters = [ a.b or "https://cache.garnix.io" ]; }`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, r := range []Replacement{{}, successor} {
			fixed := fuzzFix(t, "a.nix", src, r)
			require.Equal(t, rest(src, r), rest(fixed, r), "tokens")
		}
	})
}

// rest lists the tokens of Nix text without garnix, without its successor and without comments on garnix. Strings
// count by their words; a line of nix.conf that may go as a whole does not count.
func rest(src string, r Replacement) []string {
	ours := append([]string{r.CacheURL}, r.PublicKeys...)
	var out []string
	file := parseNix([]byte(src))
	for i, token := range file.tokens {
		text := file.text(i)
		switch {
		case token.kind == nixComment && mentionsGarnix(text):
			continue
		case token.kind == nixString || token.kind == nixURI:
			text = ""
			for line := range strings.Lines(src[token.inLo:token.inHi]) {
				var words []string
				for _, word := range strings.Fields(line) {
					if !isCacheToken(word) && !slices.Contains(ours, word) {
						words = append(words, word)
					}
				}
				kept := strings.Join(words, " ")
				if setting, ok := strings.CutSuffix(strings.ToLower(strings.ReplaceAll(strings.SplitN(kept, "#", 2)[0], " ", "")), "="); ok && isSetting(setting) {
					kept = ""
				}
				if line, comment, ok := strings.Cut(kept, "#"); ok && mentionsGarnix(comment) {
					kept = strings.TrimSpace(line)
				}
				if kept != "" {
					text += kept + " "
				}
			}
			if text == "" {
				continue
			}
		}
		out = append(out, text)
	}
	if !file.ok {
		out = append(out, "not understood")
	}
	return out
}

// FuzzFiles holds for any file: nothing is lost but what goes, nothing comes but the successor.
func FuzzFiles(f *testing.F) {
	seeds(f, func(name string, data []byte) {
		if !strings.HasPrefix(name, "want/") {
			f.Add(name, string(data))
		}
	})
	f.Add("README.md", "[![a][b]][c]\n- [![a][b]][c]<br>\n\n[b]: https://garnix.io/api/badges/x\n[c]: https://garnix.io\r\n")
	f.Add("x.yml", "extra-conf: |\n substituters=https://cache.garnix.io\n#garnix yaml-language-server")
	f.Fuzz(func(t *testing.T, name, src string) {
		if len(name) > 60 || !fstestPath(name) {
			name = "nix.conf"
		}
		fixed := fuzzFix(t, name, src, Replacement{})
		require.True(t, subsequence(strings.Join(strings.Fields(fixed), ""), strings.Join(strings.Fields(src), "")), "only removals")
		fuzzFix(t, name, src, successor)
	})
}

func fstestPath(name string) bool {
	return name != "" && !strings.ContainsAny(name, "\\\x00") && filepath.IsLocal(name) && filepath.Clean(name) == name && name != "." && !inGitFolder(name) &&
		bytes.Equal([]byte(name), bytes.ToValidUTF8([]byte(name), nil))
}

func subsequence(short, long string) bool {
	for i := 0; i < len(short); i++ {
		n := strings.IndexByte(long, short[i])
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
	traces, err := Scan(repository, []string{name}, Options{})
	require.NoError(t, err)
	if bytes.IndexByte([]byte(src)[:min(len(src), sniffBytes)], 0) < 0 {
		requireEveryLineOnce(t, repository, traces)
	}
	edits, err := Fix(repository, traces, r)
	require.NoError(t, err)
	if len(edits) == 0 {
		return src
	}
	require.Len(t, edits, 1)
	require.Equal(t, src, string(edits[0].Old))
	fixed := fstest.MapFS{name: {Data: edits[0].New}}
	after, err := Scan(fixed, []string{name}, Options{})
	require.NoError(t, err)
	again, err := Fix(fixed, after, r)
	require.NoError(t, err)
	require.Empty(t, again, "fix after fix of %q", edits[0].New)
	return string(edits[0].New)
}

package leftovers

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// language is a way to write a set of lists and texts, and to read it back.
type language struct {
	ext     string
	write   func(r *rand.Rand, set []entry) string
	decoded func(t *testing.T, dir string, names []string) []any
}

// entry is a name with a text or with a list of them.
type entry struct {
	name  string
	texts []string
	list  bool
}

// TestFixedFilesKeepTheirMeaning writes small files in which garnix's URL and key stand in all sorts of places. Fixed,
// each must be readable, hold the same values with the new cache in garnix's place, and list what was said to be left.
func TestFixedFilesKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	replacements := map[string]Replacement{
		"none":         {},
		"a cache":      successor,
		"a URL":        {CacheURL: "https://meadow.cachix.org"},
		"several keys": {CacheURL: successor.CacheURL, PublicKeys: append([]string{"x-1:YQ=="}, successor.PublicKeys...)},
		"queries":      {CacheURL: "s3://bucket?region=x&scheme=https", PublicKeys: []string{"my_key:YQ=="}},
	}
	for _, l := range []language{
		{ext: "json", write: writeJSON, decoded: decodeJSON},
		{ext: "yaml", write: writeYAML, decoded: decodeYAML},
		{ext: "toml", write: writeTOML, decoded: decodeTOML},
		{ext: "nix", write: writeNix, decoded: decodeNix},
	} {
		t.Run(l.ext, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(15, 7))
			before := fstest.MapFS{}
			for i := range 250 {
				before[fmt.Sprintf("%03d.%s", i, l.ext)] = &fstest.MapFile{Data: []byte(l.write(random, randomSet(random))), Mode: 0o644}
			}
			was := decodedFiles(t, l, before)
			for name, r := range replacements {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					traces, edits, err := Scan(before, tracked(before), Options{Replacement: r})
					require.NoError(t, err)
					requireEveryLineOnce(t, before, traces)
					after := maps.Clone(before)
					for _, e := range edits {
						after[e.Path] = &fstest.MapFile{Data: e.New, Mode: 0o644}
					}
					requireDone(t, before, after, traces, Options{Replacement: r})
					is := decodedFiles(t, l, after)
					for file := range before {
						assert.True(t, succeeds(was[file], is[file], r), "%s\nbefore:\n%s\nafter:\n%s", file, before[file].Data, after[file].Data)
					}
				})
			}
		})
	}
}

// succeeds reports whether a value is what a person would have made of another: texts are the same or swapped, names too,
// and elements of a list go only if they are garnix's or doubled, and never the last.
func succeeds(was, is any, r Replacement) bool {
	switch was := was.(type) {
	case string:
		is, ok := is.(string)
		return ok && (is == was || is == swappedText(was, r))
	case []any:
		is, ok := is.([]any)
		return ok && (len(was) == 0) == (len(is) == 0) && listSucceeds(was, is, r)
	case map[string]any:
		is, ok := is.(map[string]any)
		if !ok || len(is) != len(was) {
			return false
		}
		for name, value := range was {
			other, same := is[name]
			if !same {
				other, same = is[swappedText(name, r)]
			}
			if !same || !succeeds(value, other, r) {
				return false
			}
		}
		return true
	}
	return false
}

func listSucceeds(was, is []any, r Replacement) bool {
	if len(was) == 0 {
		return len(is) == 0
	}
	text, _ := was[0].(string)
	ours := isLiteral(text)
	if len(is) > 0 && succeeds(was[0], is[0], r) && listSucceeds(was[1:], is[1:], r) {
		return true
	}
	if keys := r.successors(literalKey); ours && len(keys) > 1 && strings.Contains(text, bareKey) { // several, or those that are new
		for n := range keys {
			if len(is) > n && slices.Contains(keys, fmt.Sprint(is[n])) && listSucceeds(was[1:], is[n+1:], r) {
				return true
			}
		}
	}
	return ours && listSucceeds(was[1:], is, r)
}

// swappedText is a swap of its own making.
func swappedText(text string, r Replacement) string {
	if r.CacheURL != "" {
		text = strings.NewReplacer("https://cache.garnix.io/?", "https://cache.garnix.io?", "https://cache.garnix.io/", "https://cache.garnix.io").Replace(text)
		if strings.Contains(r.CacheURL, "?") {
			text = strings.ReplaceAll(text, "https://cache.garnix.io?", r.CacheURL+"&")
		}
		text = strings.ReplaceAll(text, "https://cache.garnix.io", r.CacheURL)
	}
	if len(r.PublicKeys) > 0 {
		_, bare, _ := strings.Cut(r.PublicKeys[0], ":")
		text = strings.ReplaceAll(text, garnixKey, strings.Join(r.PublicKeys, " "))
		text = strings.ReplaceAll(text, bareKey, bare)
	}
	return text
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

func randomText(r *rand.Rand) string {
	return pick(r, "https://cache.garnix.io", "https://cache.garnix.io", garnixKey, "https://cache.garnix.io/", "https://cache.garnix.io?priority=3",
		bareKey, "https://cache.nixos.org", "https://b.example", "https://meadow.cachix.org", "meadow.cachix.org-1:bWVhZG93bWVhZG93bWVhZG93bWVhZG93bWVhZG93bWU=",
		"b.example-1:YmJiYg==", "plain", "extra-substituters = https://cache.garnix.io", "https://a.example https://cache.garnix.io", "https://cache.garnix.io/nar/x",
		"https://cache.garnix.io.example", "mirror:"+bareKey, "x # garnix", "a, b", "")
}

func randomSet(r *rand.Rand) []entry {
	var set []entry
	names := []string{"substituters", "keys", "url", "x", "https://cache.garnix.io", "https://meadow.cachix.org", "https://cache.garnix.io/"}
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names[:1+r.IntN(4)] {
		e := entry{name: name, list: r.IntN(4) > 0, texts: []string{randomText(r)}}
		for e.list && r.IntN(5) > 0 && len(e.texts) < 6 {
			e.texts = append(e.texts, randomText(r))
		}
		set = append(set, e)
	}
	return set
}

// layout writes a list: on one line, an element a line, or wildly.
func layout(r *rand.Rand, texts []string, quote func(string) string, comma, comment string) string {
	var b strings.Builder
	style := r.IntN(4)
	end := pick(r, "\n", "\n", "\n", "\r\n")
	b.WriteString("[")
	for i, text := range texts {
		switch {
		case style == 0:
			b.WriteString(" ")
		case style == 1 && r.IntN(2) == 0:
			b.WriteString(pick(r, " ", "  "))
		default:
			b.WriteString(end + pick(r, "    ", "\t"))
			if comment != "" && r.IntN(6) == 0 {
				b.WriteString(comment + pick(r, " next", " garnix", " \"https://cache.garnix.io\",") + end + "    ")
			}
		}
		b.WriteString(quote(text))
		if i < len(texts)-1 {
			b.WriteString(comma)
		}
		if comment != "" && style > 1 && r.IntN(6) == 0 {
			b.WriteString(" " + comment + pick(r, " fast", " of garnix") + end)
		}
	}
	return b.String() + pick(r, " ", end, end+"  ") + "]"
}

func jsonText(text string) string { return fmt.Sprintf("%q", text) }

func writeJSON(r *rand.Rand, set []entry) string {
	var parts []string
	for _, e := range set {
		value := jsonText(e.texts[0])
		if e.list {
			value = layout(r, e.texts, jsonText, ",", "")
		}
		parts = append(parts, fmt.Sprintf("%q: %s", e.name, value))
	}
	return "{" + strings.Join(parts, pick(r, ", ", ",\n  ")) + "}" + pick(r, "", "\n")
}

func writeYAML(r *rand.Rand, set []entry) string {
	quote := func(text string) string {
		if text == "" || strings.ContainsAny(text, "#,?") || r.IntN(2) == 0 {
			return pick(r, `"`+text+`"`, "'"+text+"'")
		}
		return text
	}
	var b strings.Builder
	for _, e := range set {
		b.WriteString(pick(r, e.name, `"`+e.name+`"`) + ":")
		switch {
		case e.list && r.IntN(4) == 0:
			b.WriteString(" " + strings.ReplaceAll(layout(r, e.texts, quote, ",", "#"), "\t", "    ") + "\n")
		case e.list:
			indent := pick(r, "", "  ", "    ")
			for _, text := range e.texts {
				b.WriteString("\n" + pick(r, "", "", "", indent+"# next\n", "# garnix\n", "\n") + indent + "- " + quote(text) + pick(r, "", "", " # fast", " # of garnix"))
			}
			b.WriteString("\n")
		case !strings.Contains(e.texts[0], "#") && r.IntN(3) == 0:
			b.WriteString(pick(r, " >-", " |-") + "\n  " + e.texts[0] + "\n")
		default:
			b.WriteString(" " + quote(e.texts[0]) + "\n")
		}
	}
	return b.String()
}

func writeTOML(r *rand.Rand, set []entry) string {
	quote := func(text string) string { return pick(r, `"`+text+`"`, "'"+text+"'") }
	var b strings.Builder
	for _, e := range set {
		b.WriteString(`"` + e.name + `" = `)
		if e.list {
			list := layout(r, e.texts, quote, ",", "#")
			if r.IntN(3) == 0 { // a comma may stand at the end, too
				list = strings.TrimSuffix(list, "]") + "\n, ]"
			}
			b.WriteString(list + "\n")
			continue
		}
		b.WriteString(pick(r, quote(e.texts[0]), `"""`+e.texts[0]+`"""`) + "\n")
	}
	return b.String()
}

func writeNix(r *rand.Rand, set []entry) string {
	quote := func(text string) string {
		if strings.HasPrefix(text, "https://") && !strings.ContainsAny(text, " #,") && r.IntN(3) == 0 {
			return text + " "
		}
		return pick(r, `"`+text+`"`, `"`+text+`"`, "''"+text+"''")
	}
	var b strings.Builder
	b.WriteString("let f = x: x; in " + pick(r, "", "assert true; ", "\n") + "{\n")
	for _, e := range set {
		b.WriteString("  \"" + e.name + "\" =")
		switch {
		case e.list:
			b.WriteString(pick(r, " ", "\n    ", " f ") + layout(r, e.texts, quote, pick(r, "", " "), "#"))
		case r.IntN(4) == 0:
			b.WriteString(" ''\n    " + e.texts[0] + "\n  ''")
		default:
			b.WriteString(pick(r, " ", "\n    ") + quote(e.texts[0]) + pick(r, "", "\n  "))
		}
		b.WriteString(pick(r, "", " ") + ";\n")
	}
	return b.String() + "}\n"
}

// decodedFiles reads the files of a language.
func decodedFiles(t *testing.T, l language, files fstest.MapFS) map[string]any {
	t.Helper()
	dir := t.TempDir()
	names := slices.Sorted(maps.Keys(files))
	var paths []string
	for _, name := range names {
		paths = append(paths, filepath.Join(dir, name))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), files[name].Data, 0o600))
	}
	values := l.decoded(t, dir, paths)
	require.Len(t, values, len(names))
	out := map[string]any{}
	for i, name := range names {
		out[name] = values[i]
	}
	return out
}

func decodeEach(t *testing.T, paths []string, decode func([]byte, any) error) []any {
	t.Helper()
	var out []any
	for _, path := range paths {
		src, err := os.ReadFile(path)
		require.NoError(t, err)
		var value map[string]any
		require.NoError(t, decode(src, &value), "%s", src)
		out = append(out, value)
	}
	return out
}

func decodeJSON(t *testing.T, _ string, paths []string) []any {
	t.Helper()
	return decodeEach(t, paths, json.Unmarshal)
}

func decodeYAML(t *testing.T, _ string, paths []string) []any {
	t.Helper()
	return decodeEach(t, paths, yaml.Unmarshal)
}

// decodeTOML uses Python, whose standard library reads TOML since 3.11.
func decodeTOML(t *testing.T, _ string, paths []string) []any {
	t.Helper()
	if os.Getenv("CI") != "true" && exec.Command("python3", "-c", "import tomllib").Run() != nil {
		t.Skip("python3 has no tomllib")
	}
	return decodedBy(t, len(paths), append([]string{"python3", "-c", "import json, sys, tomllib\n" +
		"for name in sys.argv[1:]: print(json.dumps(tomllib.load(open(name, 'rb'))))"}, paths...))
}

func decodeNix(t *testing.T, _ string, paths []string) []any {
	t.Helper()
	return decodedBy(t, len(paths), append([]string{"nix-instantiate", "--eval", "--strict", "--json"}, paths...))
}

// decodedBy runs a program that prints the value of each file as JSON on a line.
func decodedBy(t *testing.T, count int, command []string) []any {
	t.Helper()
	tool(t, command[0])
	var stderr strings.Builder
	run := exec.Command(command[0], command[1:]...)
	run.Stderr = &stderr
	out, err := run.Output()
	require.NoError(t, err, stderr.String())
	var values []any
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for range count {
		var value any
		require.NoError(t, decoder.Decode(&value))
		values = append(values, value)
	}
	return values
}

// tool skips the test where a program is missing, except in CI.
func tool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
}

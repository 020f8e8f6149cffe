package diag_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"garnix2gha/generator/diag"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	words := []string{"include", "exclude", "branch"}
	tests := []struct {
		name, word string
		candidates []string
		want       string
	}{
		{name: "a letter too many", word: "includes", candidates: words, want: "include"},
		{name: "a wrong letter", word: "inclide", candidates: words, want: "include"},
		{name: "another case", word: "INCLUDE", candidates: words, want: "include"},
		{name: "two letters swapped", word: "brnach", candidates: words, want: "branch"},
		{name: "a letter missing", word: "xclude", candidates: words, want: "exclude"},
		{name: "two letters too many", word: "branches", candidates: words, want: "branch"},
		{name: "another word", word: "builds", candidates: words},
		{name: "no word", word: "", candidates: words},
		{name: "a word that nobody misspells", word: strings.Repeat("x", 1000), candidates: words},
		{name: "a candidate that nobody means", word: "on", candidates: []string{"push", strings.Repeat("on", 100)}},
		{name: "a short word may differ by one edit", word: "a", candidates: []string{"abc", "ab"}, want: "ab"},
		{name: "the nearest wins", word: "packges", candidates: []string{"package", "packages"}, want: "packages"},
		{name: "the first of the nearest wins", word: "brunch", candidates: []string{"bunch", "branch"}, want: "bunch"},
		{name: "hyphens, underscores and capitals do not count", word: "push_refs", candidates: []string{"push-urls", "pushRefs"}, want: "pushRefs"},
		{name: "letters of other alphabets are one edit", word: "зелёны", candidates: []string{"зелёный"}, want: "зелёный"},
		{name: "what is a candidate is not misspelt", word: "on", candidates: []string{"of", "on"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, diag.Nearest(tc.word, tc.candidates))
		})
	}
}

func BenchmarkNearest(b *testing.B) {
	names := make([]string, 10000)
	for i := range names {
		names[i] = fmt.Sprintf("package-%d", i)
	}
	for b.Loop() {
		diag.Nearest("packages", names)
	}
}

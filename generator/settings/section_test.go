package settings_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/settings"
)

func TestWithCachix(t *testing.T) {
	t.Parallel()
	one := "acme.cachix.org-1:" + strings.Repeat("A", 43) + "="
	two := "acme.cachix.org-2:" + strings.Repeat("B", 42) + "A="
	other := "other.cachix.org-1:" + strings.Repeat("C", 42) + "A="
	const block = "cache:\n  name: \"acme\"\n"
	for _, tc := range []struct {
		name, src, want string
	}{
		{name: "a missing file", want: block},
		{name: "a file of comments", src: "# mine\n", want: "# mine\n" + block},
		{name: "other keys stay where they are", src: "statuses: true # yes\n\n# why\nschedule: off\n", want: "statuses: true # yes\n\n# why\nschedule: off\n" + block},
		{name: "an empty section in braces", src: "cache: {}\nstatuses: true\n", want: block + "statuses: true\n"},
		{
			name: "a section keeps its other keys, comments and indentation",
			src:  "cache: # ours\n    # who may write\n    push-refs: [main]  # only\n    private: true\n\n# next\nstatuses: true\n",
			want: "cache: # ours\n    name: \"acme\"\n    # who may write\n    push-refs: [main]  # only\n    private: true\n\n# next\nstatuses: true\n",
		},
		{
			name: "a new key begins the section",
			src:  "cache:\n  backend: cachix\n  private: true\n",
			want: "cache:\n  name: \"acme\"\n  backend: cachix\n  private: true\n",
		},
		{
			name: "another name is replaced and its key goes, and the comments beside them stay",
			src:  "cache:\n  name: other # renamed in May\n  public-key: # old and older\n    - " + other + "\n    # the first\n    - " + two + "\n  # secret\n  token-secret: X\n",
			want: "cache:\n  name: \"acme\" # renamed in May\n    # the first\n  # secret\n  token-secret: X\n",
		},
		{
			name: "a list at the depth of its key is a part of it",
			src:  "cache:\n  public-key:\n  - " + other + "\n  - " + two + "\n  name: other\n",
			want: "cache:\n  name: \"acme\"\n",
		},
		{name: "the key of another cache goes", src: "cache:\n  name: other\n  public-key: " + other + "\n", want: "cache:\n  name: \"acme\"\n"},
		{name: "the key of this cache stays without news", src: "cache:\n  name: acme\n  public-key: " + one + "\n", want: "cache:\n  name: acme\n  public-key: " + one + "\n"},
		{name: "nothing to change changes no byte", src: "cache: {name: acme, public-key: '" + one + "'}\n", want: "cache: {name: acme, public-key: '" + one + "'}\n"},
		{name: "an address in the file follows the name", src: "cache:\n  name: other\n  url: https://other.cachix.org\n", want: "cache:\n  name: \"acme\"\n  url: \"https://acme.cachix.org\"\n"},
		{name: "no final newline", src: "cache:\n  private: true", want: "cache:\n  name: \"acme\"\n  private: true"},
		{name: "a section at the end of a document", src: "cache:\n  name: other\n  # last\n...\n", want: "cache:\n  name: \"acme\"\n  # last\n...\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := settings.WithCachix([]byte(tc.src), "acme")
			require.NoError(t, err)
			assert.Equal(t, tc.want, string(got))
			again, err := settings.WithCachix(got, "acme")
			require.NoError(t, err)
			assert.Equal(t, tc.want, string(again), "a second time")
		})
	}
}

func TestWithCachixLeavesAloneWhatItCannotChange(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, src, cache, says string
	}{
		{name: "settings with errors", src: "nonsense: 1\n", cache: "acme", says: "have errors"},
		{name: "another backend", src: "cache: {backend: attic, server: 'https://a.example', url: 'https://a.example/b'}\n", cache: "acme", says: "another backend"},
		{name: "a section in braces", src: "cache: {private: true}\n", cache: "acme", says: "braces"},
		{name: "a whole file in braces", src: "{statuses: true}\n", cache: "acme", says: "flow mapping"},
		{name: "a variable that the name would make idle", src: "cache:\n  name-variable: MINE\n", cache: "acme", says: "by hand"},
		{name: "a name that is none", cache: "a\nb: c", says: "by hand"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := settings.WithCachix([]byte(tc.src), tc.cache)
			require.ErrorContains(t, err, tc.says)
		})
	}
}

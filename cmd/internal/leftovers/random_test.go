package leftovers

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRandomLists puts lists together from parts that are awkward next to each other. All of it is valid Nix, and has
// to be so afterwards; and no list may keep garnix's URL.
func TestRandomLists(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(15, 7))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	element := func() string {
		return pick(`"https://cache.garnix.io"`, `"https://cache.garnix.io/"`, `''https://cache.garnix.io''`, `https://cache.garnix.io `,
			`"b"`, `''c''`, `"${"d"}"`, `./e `, `(f)`, `https://g.example `, `"https://meadow.cachix.org"`, `{ h = 1; }`, `"\"" `, `''''${i}''`)
	}
	gap := func() string {
		return pick("", "", " ", "  ", "\n", "\n    ", "\r\n  ", "\t", " # note\n", " # garnix\n", " /* x */ ", "/* garnix */", "#\"https://cache.garnix.io\"\n", "\n\n", " /* garnix\n*/ ")
	}
	list := func() string {
		var b strings.Builder
		b.WriteString("[" + gap())
		for range random.IntN(6) {
			b.WriteString(element() + gap())
		}
		return b.String() + "]"
	}
	var src strings.Builder
	src.WriteString("c: f: i: [\n")
	for range 1500 {
		value := pick("%", "lib.mkAfter %", "(%)", "if c then % else %", "% ++ %", "let x = 1; in %", "with c; f (with c; %)", "assert c; %")
		for strings.Contains(value, "%") {
			value = strings.Replace(value, "%", list(), 1)
		}
		src.WriteString("(lib: { " + pick("substituters", "nixConfig.extra-substituters", `"trusted-substituters"`) + " =" + pick(" ", "\n  ") + value + "; })\n")
	}
	src.WriteString("]\n")
	require.True(t, parseNix([]byte(src.String())).ok)

	for name, r := range map[string]Replacement{"removed": {}, "swapped": successor} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fixed := fuzzFix(t, "a.nix", src.String(), r)
			assert.Equal(t, rest(src.String(), r), rest(fixed, r))
			requireNix(t, Edit{Path: "a.nix", Old: []byte(src.String()), New: []byte(fixed)})
			file := parseNix([]byte(fixed))
			for i, token := range file.tokens {
				assert.False(t, file.isElement(i), "%s stays at %d", file.text(i), token.lo)
			}
		})
	}
}

package target_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/config"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/target"
)

// manyNames is a flake with n packages, and a configuration that names each of those called prefix-i.
func manyNames(t testing.TB, n int, prefix string) (*config.Config, *flake.Lock) {
	t.Helper()
	names := make([]string, n)
	var text strings.Builder
	text.WriteString("builds:\n  include:\n")
	for i := range n {
		names[i] = fmt.Sprintf("package-%d", i)
		fmt.Fprintf(&text, "    - packages.x86_64-linux.%s-%d\n", prefix, i)
	}
	text.WriteString("  exclude:\n")
	for i := range n / 10 {
		fmt.Fprintf(&text, "    - packages.x86_64-linux.%s-%d\n", prefix, i*10)
	}
	lock := &flake.Lock{Outputs: map[flake.Family]map[flake.System][]string{"packages": {flake.X8664Linux: names}}}
	return parse(t, text.String()), lock
}

func TestAThousandMatchersOverAThousandNames(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]int{"package": 900, "absent": 0} {
		c, lock := manyNames(t, 1_000, prefix)
		got, diags := target.Select(c, lock, target.Commit{})
		require.False(t, diags.HasErrors())
		assert.Len(t, got.Targets, want)
		assert.Less(t, len(diags), 5, "one for each cause")
	}
}

func BenchmarkSelect(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		literal, lock := manyNames(b, n, "package")
		wildcard := parse(b, "builds: {include: ['*.x86_64-linux.*', packages.*.package-1], exclude: ['*.*.package-2']}")
		for name, c := range map[string]*config.Config{"literal": literal, "wildcard": wildcard} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					target.Select(c, lock, target.Commit{All: true})
				}
			})
		}
	}
}

package flake_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/flake"
)

// path reads "family.second[.third]" for tests; names with dots are built by hand.
func path(text string) flake.AttrPath {
	parts := append(strings.SplitN(text, ".", 3), "")
	return flake.AttrPath{First: flake.Family(parts[0]), Second: parts[1], Third: parts[2]}
}

func mustMatcher(t *testing.T, text string) flake.Matcher {
	t.Helper()
	m := flake.ParseMatcher(text)
	require.True(t, m.Valid())
	return m
}

func TestParseMatcher(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		parts      []string // nil: refused
	}{
		{name: "two parts are a matcher", text: "nixosConfigurations.*", parts: []string{"nixosConfigurations", "*"}},
		{name: "three parts are a matcher", text: "packages.*.a", parts: []string{"packages", "*", "a"}},
		{name: "empty parts are legal", text: "packages..a", parts: []string{"packages", "", "a"}},
		{name: "a lone dot is two empty parts", text: ".", parts: []string{"", ""}},
		{name: "blanks are not trimmed", text: " a . b ", parts: []string{" a ", " b "}},
		{name: "the empty text is one part", text: ""},
		{name: "a star alone is one part", text: "*"},
		{name: "four parts are too many", text: "packages.x86_64-linux.a.b"},
		{name: "quotes do not protect a dot", text: `packages.x86_64-linux."a.b"`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := flake.ParseMatcher(tc.text)
			assert.Equal(t, tc.text, m.String())
			assert.Equal(t, tc.parts != nil, m.Valid())
			if tc.parts != nil {
				assert.Equal(t, tc.parts, m.Parts())
				return
			}
			assert.False(t, m.Literal())
			for _, family := range flake.Families() {
				assert.False(t, m.CanList(family))
			}
		})
	}
}

func TestMatcherMatch(t *testing.T) {
	t.Parallel()
	dotted := flake.AttrPath{First: "packages", Second: "x86_64-linux", Third: "a.b"}
	dottedHost := flake.AttrPath{First: "nixosConfigurations", Second: "web.lan"}
	tests := []struct {
		name, matcher string
		path          flake.AttrPath
		want          bool
	}{
		{name: "a literal matches itself", matcher: "packages.x86_64-linux.a", path: path("packages.x86_64-linux.a"), want: true},
		{name: "a literal matches nothing else", matcher: "packages.x86_64-linux.a", path: path("packages.x86_64-linux.b"), want: false},
		{name: "a star matches a whole part", matcher: "*.*.*", path: path("checks.aarch64-darwin.a"), want: true},
		{name: "a star in a part is literal", matcher: "packages.x86_64-linux.a*", path: path("packages.x86_64-linux.ab"), want: false},
		{name: "two stars are literal", matcher: "packages.x86_64-linux.**", path: path("packages.x86_64-linux.a"), want: false},
		{name: "a question mark is literal", matcher: "packages.x86_64-linux.?", path: path("packages.x86_64-linux.a"), want: false},
		{name: "two parts never match three", matcher: "packages.*", path: path("packages.x86_64-linux.a"), want: false},
		{name: "three parts never match two", matcher: "devShell.*.*", path: path("devShell.x86_64-linux"), want: false},
		{name: "two parts match a configuration", matcher: "*.web", path: path("nixosConfigurations.web"), want: true},
		{name: "two parts match a configuration named like a system", matcher: "*.x86_64-linux", path: path("homeConfigurations.x86_64-linux"), want: true},
		{name: "case counts", matcher: "Packages.x86_64-linux.a", path: path("packages.x86_64-linux.a"), want: false},
		{name: "a name with a dot is never matched", matcher: "packages.x86_64-linux.*", path: dotted, want: false},
		{name: "a host with a dot is not matched by two parts", matcher: "nixosConfigurations.*", path: dottedHost, want: false},
		{name: "a host with a dot is not matched by three parts", matcher: "nixosConfigurations.web.lan", path: dottedHost, want: false},
		{name: "an empty part does not match a name", matcher: "packages..a", path: path("packages.x86_64-linux.a"), want: false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, mustMatcher(t, tc.matcher).Match(tc.path))
		})
	}
	assert.False(t, flake.Matcher{}.Match(path("packages.x86_64-linux.a")), "the zero matcher matches nothing")
}

func TestMatcherAnd(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, a, b, want string }{ // no want: they never match the same
		{name: "wildcards give way on both sides", a: "*.x86_64-linux.*", b: "packages.*.a", want: "packages.x86_64-linux.a"},
		{name: "what is equal stays", a: "*.*", b: "*.*", want: "*.*"},
		{name: "other names", a: "packages.*.a", b: "packages.*.b"},
		{name: "other numbers of parts", a: "*.*", b: "*.*.*"},
		{name: "a star in a part is literal", a: "packages.*.a*", b: "packages.*.ab"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, pair := range [][2]string{{tc.a, tc.b}, {tc.b, tc.a}} {
				both, ok := mustMatcher(t, pair[0]).And(mustMatcher(t, pair[1]))
				assert.Equal(t, tc.want != "", ok)
				assert.Equal(t, tc.want, both.String())
			}
		})
	}
	_, ok := flake.Matcher{}.And(flake.Matcher{})
	assert.False(t, ok, "the zero matcher matches nothing")
}

func TestMatcherListing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, matcher string
		family        flake.Family
		system        flake.System
		can, lists    bool
	}{
		{name: "the name does not count for listing", matcher: "packages.x86_64-linux.nope", family: "packages", system: flake.X8664Linux, can: true, lists: true},
		{name: "another system is not listed", matcher: "packages.x86_64-linux.*", family: "packages", system: flake.AArch64Linux, can: true, lists: false},
		{name: "a star lists every system", matcher: "*.*.a", family: "checks", system: flake.I686Linux, can: true, lists: true},
		{name: "a configuration is listed for any name", matcher: "*.x86_64-linux", family: "nixosConfigurations", can: true, lists: true},
		{name: "three parts do not list configurations", matcher: "*.*.*", family: "nixosConfigurations", can: false, lists: false},
		{name: "two parts do not list packages", matcher: "*.*", family: "packages", system: flake.X8664Linux, can: false, lists: false},
		{name: "an unsupported system is never listed", matcher: "packages.riscv64-linux.*", family: "packages", system: "riscv64-linux", can: false, lists: false},
		{name: "other families are never listed", matcher: "apps.*.*", family: "apps", system: flake.X8664Linux, can: false, lists: false},
		{name: "a direct attribute needs a system", matcher: "devShell.foo", family: "devShell", system: flake.X8664Linux, can: false, lists: false},
		{name: "a direct attribute is found by a star", matcher: "*.*", family: "devShell", system: flake.X8664Linux, can: true, lists: true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := mustMatcher(t, tc.matcher)
			assert.Equal(t, tc.can, m.CanList(tc.family), "CanList")
			assert.Equal(t, tc.lists, m.Lists(tc.family, tc.system), "Lists")
		})
	}
	assert.False(t, flake.Matcher{}.CanList("packages"), "the zero matcher lists nothing")
}

func TestMatcherPath(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, matcher string
		want          bool
	}{
		{name: "a literal package names one path", matcher: "packages.x86_64-linux.a", want: true},
		{name: "a literal host names one path", matcher: "nixosConfigurations.web", want: true},
		{name: "a literal dev shell names one path", matcher: "devShell.aarch64-darwin", want: true},
		{name: "a wildcard names none", matcher: "packages.*.a", want: false},
		{name: "an unlisted family names none", matcher: "apps.x86_64-linux.a", want: false},
		{name: "an unsupported system names none", matcher: "packages.armv7l-linux.a", want: false},
		{name: "a wrong number of parts names none", matcher: "packages.x86_64-linux", want: false},
		{name: "an empty name names none", matcher: "packages.x86_64-linux.", want: false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, ok := mustMatcher(t, tc.matcher).Path()
			require.Equal(t, tc.want, ok)
			if ok {
				assert.Equal(t, tc.matcher, p.String())
			}
		})
	}
}

func FuzzParseMatcher(f *testing.F) {
	for _, seed := range []string{"", ".", "..", "...", "*", "*.*", "*.*.*", "packages.x86_64-linux.a", "devShell.x86_64-linux", "a\x00.b", "\xff.\xfe"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m := flake.ParseMatcher(text)
		dots := strings.Count(text, ".")
		require.Equal(t, dots == 1 || dots == 2, m.Valid())
		require.Equal(t, text, m.String())
		if p, ok := m.Path(); ok {
			require.True(t, m.Match(p), "a literal matcher matches the path it names")
			require.True(t, m.Lists(p.First, p.System()), "and makes garnix list it")
		}
		for _, family := range flake.Families() {
			for _, system := range flake.Systems() {
				if m.Lists(family, system) {
					require.True(t, m.CanList(family))
				}
			}
		}
	})
}

package settings

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

const file = ".github/garnix2gha/config.yaml"

// parseFixture parses a valid file of testdata.
func parseFixture(t *testing.T, name string) *Settings {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", "valid", name))
	require.NoError(t, err)
	s, diags := Parse(file, src)
	require.Empty(t, diags)
	require.NotNil(t, s)
	return s
}

// withoutPlaces forgets where settings stand, so that they can be compared.
func withoutPlaces(s *Settings) *Settings {
	s.places = places{}
	return s
}

func TestAnEmptyFileGivesTheDefaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, src string }{
		{"nothing at all", ""},
		{"comments only", "# cache:\n#   name: x\n"},
		{"a byte order mark only", "\ufeff"},
		{"a document mark only", "---\n"},
		{"null", "null\n"},
		{"an empty mapping", "{}\n"},
		{"a section without keys", "cache: {}\nrunners: {}\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, diags := Parse(file, []byte(tc.src))
			require.Empty(t, diags)
			assert.Equal(t, Default(), withoutPlaces(s))
		})
	}
}

// assertSame compares settings one by one: a difference in the whole is hard to find.
func assertSame(t *testing.T, key string, want, got reflect.Value) {
	t.Helper()
	if want.Kind() != reflect.Struct {
		assert.Equal(t, want.Interface(), got.Interface(), "the default of %s", key)
		return
	}
	for _, field := range reflect.VisibleFields(want.Type()) {
		if field.IsExported() {
			assertSame(t, strings.TrimPrefix(key+"."+field.Tag.Get("json"), "."), want.FieldByIndex(field.Index), got.FieldByIndex(field.Index))
		}
	}
}

func TestTheDefaults(t *testing.T) {
	t.Parallel()
	s := Default()
	assertSame(t, "", reflect.ValueOf(Settings{
		Cache: Cache{
			Backend: Cachix, NameVariable: "CACHIX_CACHE_NAME",
			TokenSecret: "CACHIX_AUTH_TOKEN",
			PublicKeys:  Texts{},
			Upstreams:   []string{"https://cache.nixos.org"},
			PushRefs:    []string{"**"},
		},
		Runners: map[flake.System]Texts{
			flake.X8664Linux:    {"ubuntu-24.04"},
			flake.I686Linux:     {"ubuntu-24.04"},
			flake.AArch64Linux:  {"ubuntu-24.04-arm"},
			flake.AArch64Darwin: {"macos-26"},
			flake.X8664Darwin:   {"macos-26"},
		},
		PlanRunner:  Texts{"ubuntu-24.04"},
		Triggers:    Triggers{PushBranches: []string{"**"}, PullRequests: "forks", MergeGroup: true, Dispatch: true},
		Cancel:      CancelPullRequests,
		Stale:       "fail",
		Strategy:    "auto",
		Granularity: "system",
		Shards: map[flake.System]int{
			flake.X8664Linux: 1, flake.I686Linux: 1, flake.AArch64Linux: 1, flake.AArch64Darwin: 1, flake.X8664Darwin: 1,
		},
		Nix: Nix{Installer: InstallNixAction, ExtraFeatures: []string{}},
		Names: Names{
			BuildWorkflow: "Nix Build Cache", CacheWorkflow: "Cache Only", ActionsWorkflow: "Garnix Actions", Aggregate: "All Garnix checks",
		},
		Files:     Files{Build: "nix-build-cache.yml", Cache: "cache-only.yml", Actions: "garnix-actions.yml"},
		Timeouts:  Timeouts{Plan: 30, Build: 330, Verify: 60, Action: 150},
		DiskSpace: "keep",
		Schedule:  "23 4 * * *",
		Pins:      map[string]Pin{},
	}), reflect.ValueOf(*s))
	assert.Equal(t, places{}, s.places)
	assert.Len(t, s.Runners, len(flake.Systems()))
	s.Runners[flake.AArch64Linux] = nil
	assert.NotEmpty(t, Default().Runners[flake.AArch64Linux], "the result must be the caller's own")
}

func TestWhatIsNotGivenKeepsItsDefault(t *testing.T) {
	t.Parallel()
	want := Default()
	want.Cache.PushRefs = []string{"main", "release/**"}
	want.DiskSpace = FreeSpace
	want.Runners[flake.AArch64Darwin] = Texts{"macos-15"}
	want.Timeouts.Build = 300
	assert.Equal(t, want, withoutPlaces(parseFixture(t, "by-hand.yaml")))
}

func TestACachixCache(t *testing.T) {
	t.Parallel()
	s := parseFixture(t, "cachix.yaml")
	assert.Equal(t, Cache{
		Backend: Cachix, Name: "my-project", NameVariable: "CACHIX_CACHE_NAME", SigningKeySecret: "CACHIX_SIGNING_KEY",
		URL:         "https://my-project.cachix.org",
		Private:     true,
		PublicKeys:  Texts{},
		Upstreams:   []string{"https://cache.nixos.org", "https://nix-community.cachix.org"},
		PushRefs:    []string{"**"},
		TokenSecret: "CACHIX_AUTH_TOKEN",
	}, s.Cache)
	assert.Equal(t, Triggers{PushBranches: []string{"main"}, PullRequests: "all"}, s.Triggers)
	assert.Equal(t, PerTarget, s.Granularity)
	assert.Empty(t, s.Schedule)
	assert.True(t, s.Statuses)
}

func TestACacheInS3(t *testing.T) {
	t.Parallel()
	s := parseFixture(t, "s3.yaml")
	assert.Equal(t, Cache{
		Backend:          NixCopy,
		URL:              "https://cache.example.org",
		PushURL:          "s3://bucket?region=eu-central-1&endpoint=https://s3.example.org",
		PublicKeys:       []string{"cache.example.org-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
		Upstreams:        []string{"https://cache.nixos.org"},
		PushRefs:         []string{"**"},
		SigningKeySecret: "SIGNING_KEY",
		AccessKeySecret:  "S3_ACCESS",
		SecretKeySecret:  "S3_SECRET",
	}, s.Cache)
}

func TestCredentialsOfS3(t *testing.T) {
	t.Parallel()
	const store = "cache: {backend: nix, url: https://a.example, push-url: 's3://b', public-key: 'a:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='"
	for _, tc := range []struct {
		name, src   string
		access, key string
	}{
		{"have the usual names", store + "}", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"},
		{"come from the runner if both are empty", store + ", access-key-secret: '', secret-key-secret: ''}", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, diags := Parse(file, []byte(tc.src))
			require.Empty(t, diags)
			assert.Equal(t, tc.access, s.Cache.AccessKeySecret)
			assert.Equal(t, tc.key, s.Cache.SecretKeySecret)
		})
	}
}

func TestACacheInADirectory(t *testing.T) {
	t.Parallel()
	s := parseFixture(t, "directory.yaml")
	assert.Len(t, s.Cache.PublicKeys, 2)
	s.Cache.PublicKeys = nil
	assert.Equal(t, Cache{
		Backend: NixCopy, URL: "http://127.0.0.1:8080", PushURL: "file:///srv/cache",
		Upstreams: []string{"https://cache.nixos.org"}, PushRefs: []string{"**"},
	}, s.Cache, "the secrets of S3 are for S3")
}

func TestAnAtticCacheTakesItsNameFromTheURL(t *testing.T) {
	t.Parallel()
	s := parseFixture(t, "attic.yaml")
	assert.Equal(t, Attic, s.Cache.Backend)
	assert.Equal(t, "https://attic.example.org", s.Cache.Server)
	assert.Equal(t, "team", s.Cache.Name)
	assert.Empty(t, s.Cache.NameVariable)
	assert.Equal(t, "https://attic.example.org/team", s.Cache.URL)
	assert.Equal(t, "TEAM_TOKEN", s.Cache.TokenSecret)

	s, diags := Parse(file, []byte("cache: {backend: attic, server: 'https://a.example', url: 'https://a.example/x', name: y}\n"))
	require.Empty(t, diags)
	assert.Equal(t, "https://a.example", s.Cache.Server)
	assert.Equal(t, "y", s.Cache.Name)
	assert.Equal(t, "ATTIC_TOKEN", s.Cache.TokenSecret)
}

func TestEverythingElse(t *testing.T) {
	t.Parallel()
	s := parseFixture(t, "everything-else.yaml")
	assert.Equal(t, Texts{"ubuntu-22.04"}, s.PlanRunner)
	assert.Equal(t, "branches", s.Cancel)
	assert.Equal(t, "warn", s.Stale)
	assert.Equal(t, Dynamic, s.Strategy)
	assert.Equal(t, map[flake.System]int{
		flake.X8664Linux: 4, flake.I686Linux: 1, flake.AArch64Linux: 1, flake.AArch64Darwin: 1, flake.X8664Darwin: 1,
	}, s.Shards)
	assert.Equal(t, Nix{
		Installer:         InstallNixAction,
		InstallURL:        "https://releases.nixos.org/nix/nix-2.35.1/install",
		ExtraConfig:       []string{"sandbox = relaxed", "accept-flake-config = false", "max-silent-time = 7200   # two hours"},
		ExtraFeatures:     []string{"ca-derivations", "dynamic-derivations"},
		AccessTokenSecret: "INPUTS_TOKEN",
	}, s.Nix)
	assert.Equal(t, Names{
		BuildWorkflow: "Bauen 🚀", CacheWorkflow: "Cache Only", ActionsWorkflow: "Garnix Actions", Aggregate: "CI: all",
	}, s.Names)
	assert.Equal(t, Files{Build: "build.yaml", Cache: "cache-only.yml", Actions: "garnix-actions.yml"}, s.Files)
	assert.Equal(t, "0 6,18 1-15/2 JAN-jun MON", s.Schedule)
	assert.Equal(t, map[string]Pin{
		"actions/checkout":          {SHA: "0123456789abcdef0123456789abcdef01234567", Version: "v1.2.3"},
		"cachix/install-nix-action": {SHA: "89abcdef0123456789abcdef0123456789abcdef"},
	}, s.Pins)
}

func TestOneNumberOfShardsIsForAllSystems(t *testing.T) {
	t.Parallel()
	s, diags := Parse(file, []byte("shards: 256\n"))
	require.Empty(t, diags)
	assert.Len(t, s.Shards, 5)
	for system, n := range s.Shards {
		assert.Equal(t, 256, n, system)
	}
}

func TestSettingsKnowWhereTheyStand(t *testing.T) {
	t.Parallel()
	s := parseFixture(t, "everything-else.yaml")
	for _, tc := range []struct {
		path         string
		line, column int
		given        bool
	}{
		{"strategy", 4, 11, true},
		{"runners.x86_64-linux", 3, 3, true},
		{"runners.x86_64-linux.0", 3, 18, true},
		{"runners.i686-linux", 2, 1, false},
		{"nix.extra-features.1", 16, 36, true},
		{"pins.actions/checkout", 25, 3, true},
		{"pins.cachix/install-nix-action", 26, 30, true},
		{"cache.url", 0, 0, false},
		{"", 0, 0, false},
	} {
		assert.Equal(t, diag.Pos{File: file, Line: tc.line, Column: tc.column}, s.At(tc.path), tc.path)
		assert.Equal(t, tc.given, s.Given(tc.path), tc.path)
	}
	assert.Equal(t, diag.Pos{}, Default().At("cache.url"))
}

func TestEveryProblemIsReportedAtOnceInTheOrderOfTheFile(t *testing.T) {
	t.Parallel()
	s, diags := Parse(file, []byte("strategy: quick\nstatuses: yes\ncash: {}\ntimeouts:\n  plan: 0\n"))
	assert.Nil(t, s)
	var got []string
	for _, d := range diags {
		got = append(got, d.String())
	}
	assert.Equal(t, []string{
		file + `:1:11: strategy must be auto, static or dynamic, not "quick" [bad-value]`,
		file + `:2:11: statuses must be true or false, not text [wrong-type]`,
		file + `:3:1: unknown key "cash" [unknown-key]`,
		file + `:5:9: timeouts.plan must be from 1 to 360 [bad-value]`,
	}, got)
}

func TestABrokenListIsNotAlsoCalledMissing(t *testing.T) {
	t.Parallel()
	_, diags := Parse(file, []byte("cache: {backend: nix, url: 'https://x', push-url: 'file:///x', public-key: [a, b]}\n"))
	require.Len(t, diags, 2)
	assert.Contains(t, diags[0].Message, "cache.public-key.0 must be a public key")
	assert.Contains(t, diags[1].Message, "cache.public-key.1 must be a public key")
}

func TestUnknownKeysGetASuggestionAndTheKnownOnes(t *testing.T) {
	t.Parallel()
	_, diags := Parse(file, []byte("triggers: {pushBranches: [main], pr: all, \"\\e[31m\": 1}\n"))
	require.Len(t, diags, 3)
	const known = "known keys: dispatch, merge-group, pull-requests, push-branches"
	assert.Equal(t, `did you mean "push-branches"? `+known, diags[0].Hint)
	assert.Equal(t, `unknown key "pushBranches" in triggers`, diags[0].Message)
	assert.Equal(t, known, diags[1].Hint)
	assert.NotContains(t, diags[2].Message, "\x1b")
}

func TestAnOddKeyIsShownShortAndGetsNoSuggestion(t *testing.T) {
	t.Parallel()
	_, diags := Parse(file, []byte(strings.Repeat("cache", 100)+": {}\n"))
	require.Len(t, diags, 1)
	assert.Equal(t, `unknown key "`+strings.Repeat("cache", 16)+`…"`, diags[0].Message)
	assert.NotContains(t, diags[0].Hint, "did you mean")
}

func TestASyntaxErrorInALongFileHasItsLine(t *testing.T) {
	t.Parallel()
	_, diags := Parse(file, []byte(strings.Repeat("# much to say\n", 2000)+"cache: [\n"))
	require.Len(t, diags, 1)
	assert.Equal(t, diag.Pos{File: file, Line: 2001}, diags[0].Pos)
}

func TestASecretInTheWrongPlaceIsNeverRepeated(t *testing.T) {
	t.Parallel()
	const secret = "ghp_s3cr3ts3cr3ts3cr3ts3cr3ts3cr3ts3cr3t"
	for _, src := range []string{
		"cache: {token-secret: " + secret + "}",
		"cache: {token-secret: 'eyJ0.eyJ1." + secret + "'}",
		"cache: {name: " + secret + "/}",
		"cache: {url: 'https://user:" + secret + "@cache.example.org'}",
		"cache: {public-key: 'a:" + secret + "'}",
		"nix: {extra-config: 'access-tokens = github.com=" + secret + "'}",
		"nix: {extra-config: 'access-tokens=github.com=" + secret + "'}",
		"nix: {access-token-secret: " + secret + "}",
	} {
		s, diags := Parse(file, []byte(src))
		assert.Nil(t, s, src)
		for _, d := range diags {
			assert.NotContains(t, d.Message+d.Hint, "s3cr3t", src)
		}
	}
}

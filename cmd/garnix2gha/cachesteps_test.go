package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"garnix2gha/cmd/internal/cachix"
	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/generator/settings"
)

func TestStepsLeadFromAnInspectionToACacheThatCIFills(t *testing.T) {
	t.Parallel()
	const sync, generate, name, token = "garnix2gha secrets sync --token env:CACHIX_AUTH_TOKEN --apply", ": garnix2gha generate", "garnix2gha init --cache acme", "https://app.cachix.org/cache/acme, Settings, Auth Tokens"
	const byHand, byProgram = "make the cache by hand at https://app.cachix.org/cache", "garnix2gha cache create acme"
	cache := func(permission cachix.Permission) *cachix.BinaryCache {
		return &cachix.BinaryCache{Name: "acme", Permission: permission}
	}
	for _, tc := range []struct {
		name  string
		in    cachix.Inspection
		named bool
		want  []string // in this order
		not   []string
	}{
		{"a fit token and a cache that the settings do not name", cachix.Inspection{State: cachix.Readable, Cache: cache(cachix.Write), Token: true, Verdict: cachix.DataPlane, FitForCI: true}, false, []string{name, generate, sync}, []string{token}},
		{"a fit token and a cache that the settings name", cachix.Inspection{State: cachix.Readable, Cache: cache(cachix.Write), Token: true, Verdict: cachix.DataPlane, FitForCI: true}, true, []string{sync}, []string{name, generate, token}},
		{"a token that pushes, and an account endpoint that is gone", cachix.Inspection{State: cachix.Readable, Cache: cache(cachix.Write), Token: true, Verdict: cachix.DataPlane}, true, []string{sync}, []string{token}},
		{"a token that manages its cache", cachix.Inspection{State: cachix.Readable, Cache: cache(cachix.Admin), Token: true, Verdict: cachix.DataPlane}, true, []string{token, sync}, []string{name}},
		{"no token and a cache that anyone reads", cachix.Inspection{State: cachix.Readable, Cache: cache(cachix.Read)}, false, []string{name, generate, token, sync}, []string{byHand}},
		{"an expired token", cachix.Inspection{State: cachix.Readable, Cache: cache(cachix.Read), Token: true, Verdict: cachix.Expired}, true, []string{token, sync}, []string{"try again"}},
		{"an expired token for a cache that nobody sees", cachix.Inspection{State: cachix.Hidden, Token: true, Verdict: cachix.Expired}, true, []string{"make a new token", byHand, byProgram, token}, []string{"try again"}},
		{"no token and no cache", cachix.Inspection{State: cachix.Hidden}, false, []string{byHand, "or with a personal token (https://app.cachix.org/personal-auth-tokens) in CACHIX_AUTH_TOKEN: " + byProgram, "put the cache into the settings: " + name, "generate again", "put that token", sync}, nil},
		{"an account-wide token and its cache", cachix.Inspection{State: cachix.Readable, Cache: cache(cachix.Admin), Token: true, Verdict: cachix.AccountWide}, true, []string{token, "put that token into CACHIX_AUTH_TOKEN", sync}, []string{byProgram}},
		{"an account-wide token and no cache", cachix.Inspection{State: cachix.Hidden, Token: true, Verdict: cachix.AccountWide}, false, []string{byProgram}, []string{sync, "by hand"}},
		{"an account-wide token and someone else's cache", cachix.Inspection{State: cachix.Readable, Cache: cache(cachix.Read), Token: true, Verdict: cachix.AccountWide}, true, []string{"choose another name"}, []string{sync}},
		{"a token for another cache", cachix.Inspection{State: cachix.Readable, Cache: cache(cachix.Read), Token: true, Verdict: cachix.DataPlane, TokenCache: "other"}, true, []string{"garnix2gha init --cache other", token, sync}, nil},
		{"a token of which nothing could be established", cachix.Inspection{State: cachix.Hidden, Token: true}, false, []string{"try again", byHand}, nil},
		{"a service without an answer", cachix.Inspection{State: cachix.Unreachable, Token: true}, false, []string{"try again when the service is reachable"}, []string{sync}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.in.Name = "acme"
			known := settings.Default()
			if tc.named {
				known.Cache.Name = "acme"
			}
			steps := strings.Join(afterInspection(cachix.New(restapi.Caller{}), tc.in, naming(known, "acme")), "\n")
			rest := steps
			for _, text := range tc.want {
				_, after, found := strings.Cut(rest, text)
				assert.True(t, found, "%q in %s", text, steps)
				rest = after
			}
			for _, text := range append(tc.not, "gh variable", "gh secret") {
				assert.NotContains(t, steps, text)
			}
		})
	}
}

func TestLinesForTheFlakeHoldOnlyKeysThatAreKeys(t *testing.T) {
	t.Parallel()
	cache := cachix.BinaryCache{Name: "acme", URI: "https://acme.cachix.org", PublicSigningKeys: []string{cacheKey, "not a key", `x:"; evil`}}
	assert.Equal(t, []string{
		`nixConfig = {`,
		`  extra-substituters = [ "https://acme.cachix.org" ];`,
		`  extra-trusted-public-keys = [`,
		`    "` + cacheKey + `"`,
		`  ];`,
		`};`,
	}, nixConfigLines(cache))
	assert.Contains(t, nixConfigLines(cachix.BinaryCache{URI: `https://x/${a}"\`, PublicSigningKeys: []string{cacheKey}})[1], `"https://x/\${a}\"\\"`)
	assert.Empty(t, nixConfigLines(cachix.BinaryCache{URI: "https://acme.cachix.org"}), "a substituter without a key helps nobody")
	assert.Empty(t, nixConfigLines(cachix.BinaryCache{PublicSigningKeys: []string{cacheKey}}))
}

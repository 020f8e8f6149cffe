package cachix

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/secretsource"
)

const account = `{"id":42,"slug":"acme-inc","githubUsername":"octo","subscriptionPlan":"Community","email":null}`

func TestInspectJudgesTheToken(t *testing.T) {
	t.Parallel()
	public := func(grants map[string]Permission) *standCache {
		return &standCache{public: true, keys: []string{key}, grants: grants}
	}
	private := func(grants map[string]Permission) *standCache {
		return &standCache{keys: []string{key}, grants: grants}
	}
	shaped := jwt(`{"jti":"7d1c","scopes":"cache"}`)
	past := jwt(`{"exp":1600000000}`)
	const opaque = "hunter2hunter2"
	for _, tc := range []struct {
		name    string
		token   string
		world   func(*standIn)
		state   State
		verdict Verdict
		fit     bool
		told    string // in what was established
	}{
		{
			"no token and a public cache", "", func(s *standIn) { s.caches["acme"] = public(nil) },
			Readable, "", false, "readable by everyone",
		},
		{
			"no token and no such cache offers both ways to one", "", func(*standIn) {},
			Hidden, "", false, "doesn't exist or you're not authorized",
		},
		{
			"a token with write permission on a private cache is the one for CI", shaped,
			func(s *standIn) { s.caches["acme"] = private(map[string]Permission{shaped: Write}) },
			Readable, DataPlane, true, "its permission on acme is Write",
		},
		{
			"a token with write permission on a public cache as well", shaped,
			func(s *standIn) { s.caches["acme"] = public(map[string]Permission{shaped: Write}) },
			Readable, DataPlane, true, "its permission on acme is Write",
		},
		{
			"an opaque token that the service knows is a token", opaque,
			func(s *standIn) { s.caches["acme"] = private(map[string]Permission{opaque: Write}) },
			Readable, DataPlane, true, "its permission on acme is Write",
		},
		{
			"a token with admin permission is more than CI needs", shaped,
			func(s *standIn) { s.caches["acme"] = private(map[string]Permission{shaped: Admin}) },
			Readable, DataPlane, false, "its permission on acme is Admin",
		},
		{
			"a token with read permission on a private cache", shaped,
			func(s *standIn) { s.caches["acme"] = private(map[string]Permission{shaped: Read}) },
			Readable, ReadOnly, false, "its permission on acme is Read",
		},
		{
			"a token that gets no more than everyone from a public cache", shaped,
			func(s *standIn) { s.caches["acme"] = public(nil) },
			Readable, ReadOnly, false, "may also belong to another one",
		},
		{
			"an opaque text that gets no more than everyone is no token", opaque,
			func(s *standIn) { s.caches["acme"] = public(nil) },
			Readable, NotAToken, false, "as it does without any token",
		},
		{
			"an opaque text that is refused everywhere is no token", opaque, func(*standIn) {},
			Hidden, NotAToken, false, "refuses it everywhere",
		},
		{
			"a text with a space is no token and is not sent", "hunter2 hunter2", func(s *standIn) { s.caches["acme"] = public(nil) },
			Readable, NotAToken, false, "so it was not sent",
		},
		{
			"a token whose time is over is refused even for a public cache", shaped,
			func(s *standIn) { s.caches["acme"] = public(nil); s.expired[shaped] = "ci of acme" },
			Readable, Expired, false, "the service says that the token has expired",
		},
		{
			"a token whose time is over for a private cache", shaped,
			func(s *standIn) {
				s.caches["acme"] = private(map[string]Permission{shaped: Write})
				s.expired[shaped] = "ci"
			},
			Hidden, Expired, false, "the service says that the token has expired",
		},
		{
			"a revoked token is refused even for a public cache", shaped,
			func(s *standIn) {
				s.caches["acme"] = public(nil)
				s.override["GET /cache/acme"] = func(w http.ResponseWriter, r *http.Request) {
					if r.Header.Get("Authorization") != "" {
						s.refuse(w, "Unauthorized")
						return
					}
					s.show(w, "acme", "")
				}
			},
			Readable, Expired, false, "expired and revoked tokens",
		},
		{
			"a refused token that says itself that its time is over", past, func(*standIn) {},
			Hidden, Expired, false, "it says itself that its time is over",
		},
		{
			"a refused token of which nothing is known", shaped, func(*standIn) {},
			Hidden, "", false, "the cache is missing, or the token is for another cache",
		},
		{
			"a personal token is refused for CI", shaped,
			func(s *standIn) {
				s.caches["acme"] = private(map[string]Permission{shaped: Admin})
				s.accounts[shaped] = account
			},
			Readable, AccountWide, false, "it opens the account acme-inc",
		},
		{
			"a personal token can make the cache that is missing", shaped,
			func(s *standIn) { s.accounts[shaped] = account },
			Hidden, AccountWide, false, "it opens the account acme-inc",
		},
		{
			"a personal token and someone else's cache", shaped,
			func(s *standIn) { s.caches["acme"] = public(nil); s.accounts[shaped] = account },
			Readable, AccountWide, false, "it opens the account",
		},
		{
			"what the token says about its end does not decide", past,
			func(s *standIn) { s.caches["acme"] = private(map[string]Permission{past: Write}) },
			Readable, DataPlane, true, "its permission on acme is Write",
		},
		{
			"an account endpoint that is gone leaves a doubt", shaped,
			func(s *standIn) {
				s.caches["acme"] = private(map[string]Permission{shaped: Write})
				s.override["GET /user"] = answer(404, "text/plain", "not found")
			},
			Readable, DataPlane, false, "read the token's account: Cachix has no such thing (404)",
		},
		{
			"a web page with status 200 is no account", shaped,
			func(s *standIn) {
				s.caches["acme"] = private(map[string]Permission{shaped: Write})
				s.override["GET /user"] = answer(200, "text/html", "<html>Sign in")
			},
			Readable, DataPlane, false, "is there a proxy in between?): Sign in",
		},
		{
			"JSON with status 200 that is no account is none", shaped,
			func(s *standIn) {
				s.caches["acme"] = private(map[string]Permission{shaped: Write})
				s.override["GET /user"] = answer(200, "application/json", `{"login":"octo"}`)
			},
			Readable, DataPlane, false, "something else than expected",
		},
		{
			"a service out of order proves nothing", shaped,
			func(s *standIn) { s.override["GET /cache/acme"] = answer(503, "text/html", "<h1>503</h1>") },
			Unreachable, "", false, "Cachix cannot answer now (503)",
		},
		{
			"an answer without permission proves nothing", shaped,
			func(s *standIn) {
				s.override["GET /cache/acme"] = answer(200, "application/json", `{"name":"acme","isPublic":true}`)
			},
			Readable, "", false, "did not say what the token may do",
		},
		{
			"a refusal and an account endpoint that is gone prove nothing", shaped,
			func(s *standIn) { s.override["GET /user"] = answer(404, "text/plain", "not found") },
			Hidden, "", false, "read the token's account: Cachix has no such thing (404)",
		},
		{
			"a service that answers everyone with another cache is not believed", "",
			func(s *standIn) { s.override["GET /cache/acme"] = answer(200, "", `{"name":"other"}`) },
			Unreachable, "", false, "the service answered with other",
		},
		{
			"a cache that the service says is missing", "",
			func(s *standIn) { s.override["GET /cache/acme"] = answer(404, "text/plain", "no") },
			Hidden, "", false, "has no such thing (404)",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			tc.world(s)
			client := s.client(tc.token)
			in, err := client.Inspect(t.Context(), "acme")
			require.NoError(t, err)
			assert.Equal(t, tc.state, in.State)
			assert.Equal(t, tc.verdict, in.Verdict)
			assert.Equal(t, tc.fit, in.FitForCI)
			assert.Contains(t, strings.Join(in.Established, "\n"), tc.told)
			assert.NotEmpty(t, in.Summary())
			assert.Equal(t, tc.token != "", in.Token)
			assert.Equal(t, tc.state != Unreachable && (tc.verdict != "" || tc.token == ""), in.Settled())
			assert.Equal(t, tc.state == Readable, in.Cache != nil)
			requireSilent(t, tc.token, in, client, &client, in.Summary())
		})
	}
}

func TestInspectComparesTheCacheThatATokenGets(t *testing.T) {
	t.Parallel()
	token := jwt(`{}`)
	for _, tc := range []struct {
		name   string
		others map[string]*standCache
		state  State
	}{
		{"where the wanted cache is not there", nil, Hidden},
		{"where the wanted cache is public", map[string]*standCache{"acme": {public: true, keys: []string{key}}}, Readable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			for name, cache := range tc.others {
				s.caches[name] = cache
			}
			s.caches["other"] = &standCache{grants: map[string]Permission{token: Write}}
			s.bound[token] = "other"
			in, err := s.client(token).Inspect(t.Context(), "acme")
			require.NoError(t, err)
			assert.Equal(t, DataPlane, in.Verdict)
			assert.Equal(t, "other", in.TokenCache)
			assert.False(t, in.FitForCI, "it pushes elsewhere")
			assert.Equal(t, tc.state, in.State)
			assert.Equal(t, "the token pushes to other alone, not to acme", in.Summary())
			assert.Contains(t, strings.Join(in.Established, "\n"), "asked for acme with this token, the service answered with other")
		})
	}
}

func TestInspectDescribesTheCache(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	s.caches["acme"] = &standCache{public: true, keys: []string{key}}
	in, err := s.client(jwt(`{}`)).Inspect(t.Context(), "acme")
	require.NoError(t, err)
	require.NotNil(t, in.Cache)
	assert.Equal(t, s.server.URL+"/plane/acme", in.Cache.URI, "without its slash")
	assert.Equal(t, Public, in.Cache.Visibility)
	assert.Equal(t, []string{key}, in.Cache.PublicSigningKeys)
	assert.Empty(t, in.Warnings)

	s.caches["acme"].keys = nil
	in, err = s.client("").Inspect(t.Context(), "acme")
	require.NoError(t, err)
	assert.Contains(t, strings.Join(in.Warnings, "\n"), "no public signing key")
}

func TestInspectWarnsOfATokenThatEndsSoon(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		left time.Duration
		want string
	}{
		{"ten days ahead", 10*24*time.Hour + time.Hour, ", in 10 days"},
		{"a year ahead", 365 * 24 * time.Hour, ""},
		{"long ago", -365 * 24 * time.Hour, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			token := jwt(fmt.Sprintf(`{"exp":%d}`, time.Now().Add(tc.left).Unix()))
			s := newStandIn(t)
			s.caches["acme"] = &standCache{keys: []string{key}, grants: map[string]Permission{token: Write}}
			in, err := s.client(token).Inspect(t.Context(), "acme")
			require.NoError(t, err)
			if tc.want == "" {
				assert.Empty(t, in.Warnings)
				return
			}
			assert.Contains(t, strings.Join(in.Warnings, "\n"), tc.want)
		})
	}
}

func TestInspectAsksNoMoreThanNeeded(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	s.caches["acme"] = &standCache{public: true, keys: []string{key}}
	token := jwt(`{}`)
	_, err := s.client(token).Inspect(t.Context(), "acme")
	require.NoError(t, err)
	assert.Equal(t, []string{"GET /cache/acme", "GET /user +token", "GET /cache/acme +token"}, s.log)

	dead := newStandIn(t)
	client := dead.client(token)
	dead.server.Close()
	tries := 0
	client.caller.Sleep = func(context.Context, time.Duration) error { tries++; return nil }
	in, err := client.Inspect(t.Context(), "acme")
	require.NoError(t, err)
	assert.Equal(t, Unreachable, in.State)
	assert.False(t, in.Settled())
	assert.Less(t, tries, 10, "a dead service is asked once, not three times")
	requireSilent(t, token, in)
}

func TestInspectEndsWithErrors(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	for _, name := range []string{"", "a/b", "..", "-x", "a b", strings.Repeat("a", 64), jwt(`{}`), "\x1b[31m"} {
		_, err := s.client("").Inspect(t.Context(), name)
		require.Error(t, err, "%q", name)
		requireSilent(t, "", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.client("").Inspect(ctx, "acme")
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, s.log)
}

func TestInspectionAsJSON(t *testing.T) {
	t.Parallel()
	token := jwt(`{"jti":"7d1c","scopes":["tx","cache"]}`)
	s := newStandIn(t)
	s.caches["acme"] = &standCache{public: true, keys: []string{key}, grants: map[string]Permission{token: Write}}
	in, err := s.client(token).Inspect(t.Context(), "acme")
	require.NoError(t, err)
	encoded, err := json.Marshal(in)
	require.NoError(t, err)
	var decoded map[string]any
	require.NoError(t, json.Unmarshal(encoded, &decoded))
	assert.Equal(t, "data-plane", decoded["verdict"])
	assert.Equal(t, "readable", decoded["state"])
	assert.NotContains(t, string(encoded), "7d1c", "what a token says about itself is not shown")
	assert.Equal(t, []any{}, decoded["warnings"])
}

func TestClaims(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, token string
		expires     time.Time
		shaped      bool
	}{
		{"an end", jwt(`{"exp":1784937600,"jti":"7d1c","scopes":"tx"}`), time.Unix(1784937600, 0).UTC(), true},
		{"none", jwt(`{}`), time.Time{}, true},
		{"a fraction of a second", jwt(`{"exp":1784937600.9}`), time.Unix(1784937600, 0).UTC(), true},
		{"an end that is a text", jwt(`{"exp":"tomorrow"}`), time.Time{}, true},
		{"an end beyond all calendars", jwt(`{"exp":1e300}`), time.Time{}, true},
		{"an end before the beginning", jwt(`{"exp":-5}`), time.Time{}, true},
		{"padding is forgiven", "e30.e30=.x", time.Time{}, true},
		{"no dots", "hunter2", time.Time{}, false},
		{"two parts", "a.e30", time.Time{}, false},
		{"five parts", "a.e30.c.d.e", time.Time{}, false},
		{"a payload that is no base64", "a.!!!.c", time.Time{}, false},
		{"a payload that is no object", jwt(`[1]`), time.Time{}, false},
		{"a payload that is null", jwt(`null`), time.Time{}, false},
		{"nothing", "", time.Time{}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			expires, shaped := claims(secretsource.NewValue(tc.token))
			assert.Equal(t, tc.shaped, shaped)
			assert.Equal(t, tc.expires, expires)
		})
	}
}

func FuzzClaimsNeverFail(f *testing.F) {
	f.Add("a.e30.c")
	f.Add(jwt(`{"exp":1}`))
	f.Fuzz(func(t *testing.T, token string) {
		expires, shaped := claims(secretsource.NewValue(token))
		require.True(t, shaped || expires.IsZero())
		require.LessOrEqual(t, expires.Year(), 9999)
	})
}

package cachix

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
		next    string // in the next steps
	}{
		{
			"no token and a public cache", "", func(s *standIn) { s.caches["acme"] = public(nil) },
			Readable, NoToken, false, "readable by everyone", "Settings, Auth Tokens",
		},
		{
			"no token and no such cache offers both ways to one", "", func(*standIn) {},
			Hidden, NoToken, false, "doesn't exist or you're not authorized", "option B",
		},
		{
			"a token with write permission on a private cache is the one for CI", shaped,
			func(s *standIn) { s.caches["acme"] = private(map[string]Permission{shaped: Write}) },
			Readable, DataPlane, true, "api: its permission on acme is Write", "gh variable set CACHIX_CACHE_NAME --body acme",
		},
		{
			"a token with write permission on a public cache as well", shaped,
			func(s *standIn) { s.caches["acme"] = public(map[string]Permission{shaped: Write}) },
			Readable, DataPlane, true, "claim: scopes is cache", "gh secret set CACHIX_AUTH_TOKEN",
		},
		{
			"an opaque token that the service knows is a token", opaque,
			func(s *standIn) { s.caches["acme"] = private(map[string]Permission{opaque: Write}) },
			Readable, DataPlane, true, "claim: none, the token is opaque", "gh secret set",
		},
		{
			"a token with admin permission is more than CI needs", shaped,
			func(s *standIn) { s.caches["acme"] = private(map[string]Permission{shaped: Admin}) },
			Readable, CacheAdmin, false, "api: its permission on acme is Admin", "write permission",
		},
		{
			"a token with read permission on a private cache", shaped,
			func(s *standIn) { s.caches["acme"] = private(map[string]Permission{shaped: Read}) },
			Readable, ReadOnly, false, "api: its permission on acme is Read", "write permission",
		},
		{
			"a token that gets no more than everyone from a public cache", shaped,
			func(s *standIn) { s.caches["acme"] = public(nil) },
			Readable, ReadOnly, false, "belongs to another cache", "write permission",
		},
		{
			"an opaque text that gets no more than everyone is no token", opaque,
			func(s *standIn) { s.caches["acme"] = public(nil) },
			Readable, NotAToken, false, "as it does without any token", "write permission",
		},
		{
			"an opaque text that is refused everywhere is no token", opaque, func(*standIn) {},
			Hidden, NotAToken, false, "refuses it everywhere", "option A",
		},
		{
			"a text with a space is no token and is not sent", "hunter2 hunter2", func(s *standIn) { s.caches["acme"] = public(nil) },
			Readable, NotAToken, false, "so it was not sent", "write permission",
		},
		{
			"a token whose time is over is refused even for a public cache", shaped,
			func(s *standIn) { s.caches["acme"] = public(nil); s.expired[shaped] = "ci of acme" },
			Readable, Expired, false, "api: the service says that the token has expired", "write permission",
		},
		{
			"a token whose time is over for a private cache", shaped,
			func(s *standIn) {
				s.caches["acme"] = private(map[string]Permission{shaped: Write})
				s.expired[shaped] = "ci"
			},
			Hidden, Expired, false, "api: the service says that the token has expired", "make a new token",
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
			Readable, Expired, false, "expired and revoked tokens", "write permission",
		},
		{
			"a refused token that says itself that its time is over", past, func(*standIn) {},
			Hidden, Expired, false, "claim: its time is over", "option A",
		},
		{
			"a refused token of which nothing is known", shaped, func(*standIn) {},
			Hidden, Undetermined, false, "the cache is missing, or the token is for another cache", "option B",
		},
		{
			"a personal token is refused for CI", shaped,
			func(s *standIn) {
				s.caches["acme"] = private(map[string]Permission{shaped: Admin})
				s.accounts[shaped] = account
			},
			Readable, AccountWide, false, "api: it opens the account acme-inc", "never with this one",
		},
		{
			"a personal token can make the cache that is missing", shaped,
			func(s *standIn) { s.accounts[shaped] = account },
			Hidden, AccountWide, false, "api: it opens the account acme-inc", "garnix2gha cache create acme",
		},
		{
			"a personal token and someone else's cache", shaped,
			func(s *standIn) { s.caches["acme"] = public(nil); s.accounts[shaped] = account },
			Readable, AccountWide, false, "api: it opens the account", "choose another name",
		},
		{
			"what the token says about its end does not decide", past,
			func(s *standIn) { s.caches["acme"] = private(map[string]Permission{past: Write}) },
			Readable, DataPlane, true, "claim: exp is 2020-09-13", "gh secret set",
		},
		{
			"an account endpoint that is gone leaves a doubt", shaped,
			func(s *standIn) {
				s.caches["acme"] = private(map[string]Permission{shaped: Write})
				s.override["GET /user"] = answer(404, "text/plain", "not found")
			},
			Readable, DataPlane, false, "read the token's account: Cachix answered 404", "gh secret set",
		},
		{
			"a web page with status 200 is no account", shaped,
			func(s *standIn) {
				s.caches["acme"] = private(map[string]Permission{shaped: Write})
				s.override["GET /user"] = answer(200, "text/html", "<html>Sign in")
			},
			Readable, DataPlane, false, "a web page where the API's answer should be", "gh secret set",
		},
		{
			"JSON with status 200 that is no account is none", shaped,
			func(s *standIn) {
				s.caches["acme"] = private(map[string]Permission{shaped: Write})
				s.override["GET /user"] = answer(200, "application/json", `{"login":"octo"}`)
			},
			Readable, DataPlane, false, "something else than expected", "gh secret set",
		},
		{
			"a service out of order proves nothing", shaped,
			func(s *standIn) { s.override["GET /cache/acme"] = answer(503, "text/html", "<h1>503</h1>") },
			Unreachable, Undetermined, false, "out of order", "try again",
		},
		{
			"an answer without permission proves nothing", shaped,
			func(s *standIn) {
				s.override["GET /cache/acme"] = answer(200, "application/json", `{"name":"acme","isPublic":true}`)
			},
			Readable, Undetermined, false, "did not say what the token may do", "try again",
		},
		{
			"a refusal and an account endpoint that is gone prove nothing", shaped,
			func(s *standIn) { s.override["GET /user"] = answer(404, "text/plain", "not found") },
			Hidden, Undetermined, false, "read the token's account: Cachix answered 404", "option A",
		},
		{
			"a service that answers everyone with another cache is not believed", "",
			func(s *standIn) { s.override["GET /cache/acme"] = answer(200, "", `{"name":"other"}`) },
			Unreachable, NoToken, false, "the service answered with other", "try again",
		},
		{
			"a cache that the service says is missing", "",
			func(s *standIn) { s.override["GET /cache/acme"] = answer(404, "text/plain", "no") },
			Missing, NoToken, false, "it does not exist", "option A",
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
			assert.Contains(t, strings.Join(in.Next, "\n"), tc.next)
			assert.NotEmpty(t, in.Summary())
			assert.Equal(t, tc.state != Unreachable && tc.verdict != Undetermined, in.Settled())
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
		next   string
	}{
		{"where the wanted cache is not there", nil, Hidden, "option A, by hand: make the cache"},
		{"where the wanted cache is public", map[string]*standCache{"acme": {public: true, keys: []string{key}}}, Readable, "/cache/acme, Settings, Auth Tokens"},
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
			assert.Equal(t, "the token pushes to other, not to acme, and cannot manage anything", in.Summary())
			next := strings.Join(in.Next, "\n")
			assert.Contains(t, next, "gh variable set CACHIX_CACHE_NAME --body other")
			assert.Contains(t, next, tc.next)
			assert.Contains(t, strings.Join(in.Established, "\n"), "asked for acme with this token, the service answered with other")
		})
	}
}

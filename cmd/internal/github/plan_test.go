package github

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/secretsource"
)

func TestPlanRefusesBeforeItAsks(t *testing.T) {
	t.Parallel()
	secret := secretsource.NewValue
	long := strings.Repeat("x", maxValue)
	for _, tc := range []struct {
		name string
		give Desired
		want string // "" is accepted
	}{
		{"an empty variable", Desired{Variables: map[string]string{"A": ""}}, "variable A: its value is empty"},
		{"an empty secret", Desired{Secrets: map[string]secretsource.Value{"A": secret("")}}, "secret A: its value is empty"},
		{"a secret of 48 KiB", Desired{Secrets: map[string]secretsource.Value{"A": secret(long)}}, ""},
		{"a secret of more than 48 KiB", Desired{Secrets: map[string]secretsource.Value{"A": secret(long + "x")}}, "secret A: its value has 49153 bytes, GitHub takes 49152 at most"},
		{"a variable of more than 48 KiB", Desired{Variables: map[string]string{"A": long + "x"}}, "variable A: its value has 49153 bytes"},
		{"a name with a dash", Desired{Variables: map[string]string{"A-B": "x"}}, `variable "A-B": a name is letters`},
		{"a name that starts with a digit", Desired{Variables: map[string]string{"1A": "x"}}, "starts with no digit"},
		{"a name that would leave its path", Desired{Secrets: map[string]secretsource.Value{"../../x": secret("x")}}, "a name is letters"},
		{"a name that GitHub keeps", Desired{Secrets: map[string]secretsource.Value{"github_token": secret("x")}}, "GITHUB_"},
		{"names that differ in case only", Desired{Variables: map[string]string{"Name": "x", "NAME": "y"}}, "variable Name: the same name to GitHub as NAME"},
		{"a variable and a secret of one name", Desired{Variables: map[string]string{"A": "x"}, Secrets: map[string]secretsource.Value{"A": secret("x")}}, ""},
		{"a token as a variable", Desired{Variables: map[string]string{"A": "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiIxIn0.c2ln"}}, "make it a secret"},
		{"an owner that is a path", Desired{Owner: "../x"}, "want OWNER/NAME"},
		{"a repository that is a path", Desired{Repo: ".."}, "want OWNER/NAME"},
		{"an environment that is a path", Desired{Environment: ".."}, "environment"},
		{"an environment with a line break", Desired{Environment: "a\nb"}, "environment"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			if tc.give.Owner == "" {
				tc.give.Owner = "octo"
			}
			if tc.give.Repo == "" {
				tc.give.Repo = "flake"
			}
			_, err := s.client().Plan(t.Context(), tc.give)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
			assert.Empty(t, s.log, "nothing was asked")
			assert.Less(t, len(err.Error()), 500, "no value is shown")
			assert.NotContains(t, err.Error(), "eyJ")
		})
	}
	t.Run("all problems at once", func(t *testing.T) {
		t.Parallel()
		_, err := Client{}.Plan(t.Context(), Desired{Variables: map[string]string{"A": "", "B-": "x"}})
		require.ErrorContains(t, err, "OWNER/NAME")
		require.ErrorContains(t, err, "variable A")
		require.ErrorContains(t, err, `variable "B-"`)
	})
}

func TestPlanExplainsErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, entry string
		handler     http.HandlerFunc
		environment string
		status      int
		want, hint  string
	}{
		{"a wrong token", "GET /repos/octo/flake", refuse(401, `{"message":"Bad credentials"}`), "", 401, "read repository octo/flake: GitHub answered 401: Bad credentials", "expired or revoked"},
		{"a repository that is not there", "GET /repos/octo/flake", refuse(404, `{"message":"Not Found"}`), "", 404, "404: Not Found", "may not see it"},
		{"an environment that is not there", "GET /none", nil, "production", 404, "read environment production of octo/flake", "make the environment in the repository's settings first"},
		{"a missing permission, in GitHub's words", "GET /repos/octo/flake/actions/variables/B_NAME", refuse(403, `{"message":"Resource not accessible by personal access token"}`, "X-Accepted-GitHub-Permissions", "actions_variables=read"), "", 403, "Resource not accessible", "GitHub asks for actions_variables=read"},
		{"a missing scope, in GitHub's words", "GET /repos/octo/flake/actions/secrets/AGE_KEY", refuse(403, `{"message":"no"}`, "X-Accepted-OAuth-Scopes", "repo", "X-OAuth-Scopes", "gist"), "", 403, "look for secret AGE_KEY of octo/flake", "asks for repo, the token has gist"},
		{"single sign-on", "GET /repos/octo/flake", refuse(403, `{"message":"Resource protected by organization SAML enforcement."}`, "X-GitHub-SSO", "required; url=https://github.com/orgs/octo/sso"), "", 403, "SAML", "authorize the token"},
		{"a rate limit that ends too late", "GET /repos/octo/flake", refuse(403, `{"message":"API rate limit exceeded"}`, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "4102444800"), "", 403, "rate limit exceeded", "try again after"},
		{"a service out of order", "GET /repos/octo/flake", refuse(502, `<html>Unicorn!</html>`, "Content-Type", "text/html"), "", 502, "502: Unicorn!", "later"},
		{"a service that repeats the token", "GET /repos/octo/flake", refuse(400, `{"message":"bad `+token+` \u001b[31m"}`), "", 400, "bad [token]", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			if tc.handler != nil {
				s.override[tc.entry] = tc.handler
			}
			changes, err := s.client().Plan(t.Context(), desired(tc.environment))
			require.ErrorContains(t, err, tc.want)
			assert.Nil(t, changes)
			var refused *Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, tc.status, refused.Status)
			assert.Contains(t, refused.Hint, tc.hint)
			requireSilent(t, err, refused.Hint)
		})
	}
	t.Run("no token at all", func(t *testing.T) {
		t.Parallel()
		client := newStandIn(t).client()
		client.Token = secretsource.Value{}
		_, err := client.Plan(t.Context(), desired(""))
		var refused *Error
		require.ErrorAs(t, err, &refused)
		assert.Contains(t, refused.Hint, "pass a token")
	})
	t.Run("something else than JSON", func(t *testing.T) {
		t.Parallel()
		s := newStandIn(t)
		s.override["GET /repos/octo/flake/actions/variables/B_NAME"] = refuse(200, "<html>Sign in")
		_, err := s.client().Plan(t.Context(), desired(""))
		require.ErrorContains(t, err, "is there a proxy in between?")
	})
	t.Run("a cancelled context", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := newStandIn(t).client().Plan(ctx, desired(""))
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestRateLimitsAreWaitedForIfTheyEndSoon(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		handler  http.HandlerFunc
		min, max float64 // seconds; both 0 where nothing is waited for
	}{
		{"a secondary limit that names its seconds", refuse(403, `{"message":"You have exceeded a secondary rate limit"}`, "Retry-After", "9"), 9, 9},
		{"a secondary limit that names none", refuse(403, `{"message":"You have exceeded a secondary rate limit"}`), 60, 60},
		{"a limit as 429", refuse(429, `{}`, "Retry-After", "2"), 2, 2},
		{"a limit that ended already", refuse(403, `{}`, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1"), 1, 1},
		{"a limit that ends in the far future", refuse(403, `{}`, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "4102444800"), 0, 0},
		{"a limit of an hour", refuse(429, `{}`, "Retry-After", "3600"), 0, 0},
		{"a refusal that is no limit", refuse(403, `{"message":"no"}`, "X-RateLimit-Remaining", "4999", "X-RateLimit-Reset", "1"), 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			s.override["GET /repos/octo/flake"] = func(w http.ResponseWriter, r *http.Request) {
				delete(s.override, "GET /repos/octo/flake")
				tc.handler(w, r)
			}
			_, err := s.client().Plan(t.Context(), desired(""))
			if tc.max == 0 {
				require.Error(t, err)
				assert.Empty(t, s.pauses)
				return
			}
			require.NoError(t, err)
			require.Len(t, s.pauses, 1)
			assert.GreaterOrEqual(t, s.pauses[0].Seconds(), tc.min)
			assert.LessOrEqual(t, s.pauses[0].Seconds(), tc.max)
		})
	}
}

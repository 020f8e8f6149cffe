package github

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/secretsource"
)

// sentences prints changes as a person sees them.
func sentences(changes []Change) []string {
	var all []string
	for _, change := range changes {
		all = append(all, change.String())
	}
	return all
}

func TestPlanAndApply(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, environment, path, where string
	}{
		{"to a repository", "", "/repos/octo/flake/actions", "octo/flake"},
		{"to an environment", "production", "/repos/octo/flake/environments/production", "environment production of octo/flake"},
		{"to an environment whose name holds a slash and a space", "a/b c?d", "/repos/octo/flake/environments/a%2Fb%20c%3Fd", "environment a/b c?d of octo/flake"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			place := s.add(tc.path)
			place.variables["B_NAME"] = "old"
			place.secrets["AGE_KEY"] = "old"
			client, wanted := s.client(), desired(tc.environment)

			changes, err := client.Plan(t.Context(), wanted)
			require.NoError(t, err)
			assert.Equal(t, []string{
				"secret AGE_KEY in " + tc.where + " will be replaced (value unknown)",
				"create secret CACHIX_AUTH_TOKEN in " + tc.where,
				"update variable B_NAME in " + tc.where,
				"create variable CACHIX_CACHE_NAME in " + tc.where,
			}, sentences(changes))
			for _, entry := range s.log {
				assert.True(t, strings.HasPrefix(entry, "GET "), "a plan only reads: %s", entry)
			}

			done, err := client.Apply(t.Context(), changes)
			require.NoError(t, err)
			assert.Equal(t, changes, done)
			assert.Equal(t, map[string]string{"B_NAME": "b", "CACHIX_CACHE_NAME": "acme"}, place.variables)
			assert.Equal(t, map[string]string{"AGE_KEY": "s3cret-two\nline", "CACHIX_AUTH_TOKEN": "s3cret-one"}, place.secrets)
			assert.Equal(t, 1, strings.Count(strings.Join(s.log, "\n"), "public-key"), "the key is read once")

			again, err := client.Plan(t.Context(), wanted)
			require.NoError(t, err)
			assert.Equal(t, []Action{Unknown, Unknown, Unchanged, Unchanged}, []Action{again[0].Action, again[1].Action, again[2].Action, again[3].Action})
			done, err = client.Apply(t.Context(), again)
			require.NoError(t, err)
			assert.Len(t, done, 2, "unchanged variables are left alone")

			_, err = client.Apply(t.Context(), changes)
			require.NoError(t, err, "an old plan does no harm")
			requireSilent(t, changes, again, client, wanted.Secrets, &wanted)
		})
	}
}

func TestEveryBoxIsSealedAnew(t *testing.T) {
	t.Parallel()
	key := publicKey{id: "1", key: [32]byte{9}}
	one, err := key.seal(secretsource.NewValue("same"))
	require.NoError(t, err)
	two, err := key.seal(secretsource.NewValue("same"))
	require.NoError(t, err)
	assert.NotEqual(t, one, two)
}

func TestApplyTellsWhatWasDoneBeforeAFailure(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	s.places["/repos/octo/flake/actions"].variables["CACHIX_CACHE_NAME"] = "acme"
	changes, err := s.client().Plan(t.Context(), desired(""))
	require.NoError(t, err)
	s.override["PUT /repos/octo/flake/actions/secrets/CACHIX_AUTH_TOKEN"] = refuse(422, `{"message":"Validation Failed","errors":["value s3 is bad",{"message":"too odd"},{"field":"key_id","code":"invalid"},7]}`)
	done, err := s.client().Apply(t.Context(), changes)
	require.ErrorContains(t, err, "set secret CACHIX_AUTH_TOKEN of octo/flake: GitHub answered 422: Validation Failed (value s3 is bad, too odd, key_id invalid)")
	require.ErrorContains(t, err, "(1 of 3 changes made)")
	assert.Equal(t, []string{"secret AGE_KEY"}, []string{string(done[0].Kind) + " " + done[0].Name})
	assert.NotContains(t, s.places["/repos/octo/flake/actions"].variables, "B_NAME", "what comes later is not tried")
	var refused *Error
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, refused.Hint, "does not accept a name or a value")
	requireSilent(t, err, done)

	delete(s.override, "PUT /repos/octo/flake/actions/secrets/CACHIX_AUTH_TOKEN")
	done, err = s.client().Apply(t.Context(), changes)
	require.NoError(t, err, "the same plan can be applied again")
	assert.Len(t, done, 3)
}

func TestApplyCopesWithALostAnswer(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	changes, err := s.client().Plan(t.Context(), Desired{Owner: "octo", Repo: "flake", Variables: map[string]string{"A": "new"}})
	require.NoError(t, err)
	place := s.places["/repos/octo/flake/actions"]
	s.override["POST /repos/octo/flake/actions/variables"] = func(w http.ResponseWriter, r *http.Request) {
		delete(s.override, "POST /repos/octo/flake/actions/variables")
		place.variables["A"] = "half"
		panic(http.ErrAbortHandler)
	}
	_, err = s.client().Apply(t.Context(), changes)
	require.NoError(t, err)
	assert.Equal(t, "new", place.variables["A"])
}

func TestApplyRefusesAKeyThatIsNone(t *testing.T) {
	t.Parallel()
	encode := base64.StdEncoding.EncodeToString
	for _, tc := range []struct{ name, body string }{
		{"a short key", `{"key_id":"1","key":"` + encode(make([]byte, 31)) + `"}`},
		{"a long key", `{"key_id":"1","key":"` + encode(make([]byte, 33)) + `"}`},
		{"no base64", `{"key_id":"1","key":"!"}`},
		{"no key", `{}`},
		{"no id", `{"key":"` + encode(make([]byte, 32)) + `"}`},
		{"no JSON", `hello`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			changes, err := s.client().Plan(t.Context(), desired(""))
			require.NoError(t, err)
			s.override["GET /repos/octo/flake/actions/secrets/public-key"] = refuse(200, tc.body)
			done, err := s.client().Apply(t.Context(), changes)
			require.ErrorContains(t, err, "read public key of octo/flake")
			assert.Empty(t, done)
			assert.Empty(t, s.places["/repos/octo/flake/actions"].secrets)
			requireSilent(t, err)
		})
	}
}

package github

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/nacl/box"

	"garnix2gha/cmd/internal/secretsource"
)

const token = "ghp_hunter2hunter2"

// settings are a place's variables and secrets; the secrets are kept as they come out of their boxes.
type settings struct {
	variables, secrets map[string]string
}

// standIn answers as GitHub's API for variables and secrets does, and opens the sealed boxes with a real key.
type standIn struct {
	t               *testing.T
	server          *httptest.Server
	public, private *[32]byte

	mu       sync.Mutex
	places   map[string]*settings // by path, "/repos/o/r/actions" or "/repos/o/r/environments/E"
	override map[string]http.HandlerFunc
	log      []string
	pauses   []time.Duration
}

func newStandIn(t *testing.T) *standIn {
	t.Helper()
	public, private, err := box.GenerateKey(rand.Reader)
	require.NoError(t, err)
	s := &standIn{t: t, public: public, private: private, places: map[string]*settings{}, override: map[string]http.HandlerFunc{}}
	s.add("/repos/octo/flake/actions")
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	return s
}

func (s *standIn) add(path string) *settings {
	s.places[path] = &settings{variables: map[string]string{}, secrets: map[string]string{}}
	return s.places[path]
}

func (s *standIn) client() Client {
	return Client{
		BaseURL: s.server.URL, Token: secretsource.NewValue(token),
		HTTP: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
		Sleep: func(ctx context.Context, wait time.Duration) error {
			s.pauses = append(s.pauses, wait)
			return ctx.Err()
		},
	}
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := r.URL.EscapedPath()
	entry := r.Method + " " + path
	s.log = append(s.log, entry)
	assert.Equal(s.t, "2022-11-28", r.Header.Get("X-GitHub-Api-Version"))
	assert.Equal(s.t, "application/vnd.github+json", r.Header.Get("Accept"))
	if handler, ok := s.override[entry]; ok {
		handler(w, r)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+token {
		say(w, 401, `{"message":"Bad credentials"}`)
		return
	}
	if path == "/repos/octo/flake" {
		say(w, 200, `{"full_name":"octo/flake"}`)
		return
	}
	for prefix, place := range s.places {
		rest, ok := strings.CutPrefix(path, prefix+"/")
		if !ok {
			continue
		}
		collection, name, _ := strings.Cut(rest, "/")
		if collection == "variables" {
			s.variable(w, r, place, name)
		} else {
			s.secret(w, r, place, name)
		}
		return
	}
	say(w, 404, `{"message":"Not Found"}`)
}

func (s *standIn) variable(w http.ResponseWriter, r *http.Request, place *settings, name string) {
	var body struct{ Name, Value string }
	if r.Method != http.MethodGet {
		assert.NoError(s.t, json.NewDecoder(r.Body).Decode(&body))
	}
	value, there := place.variables[name]
	switch {
	case r.Method == http.MethodGet && name == "":
		say(w, 200, `{"total_count":0,"variables":[]}`)
	case r.Method == http.MethodPost && name == "":
		if _, taken := place.variables[body.Name]; taken {
			say(w, 409, `{"message":"Already exists - Variable already exists"}`)
			return
		}
		place.variables[body.Name] = body.Value
		say(w, 201, `{}`)
	case !there:
		say(w, 404, `{"message":"Not Found"}`)
	case r.Method == http.MethodGet:
		_ = json.NewEncoder(w).Encode(map[string]string{"name": name, "value": value})
	case r.Method == http.MethodPatch:
		place.variables[name] = body.Value
		w.WriteHeader(204)
	default:
		say(w, 405, `{}`)
	}
}

func (s *standIn) secret(w http.ResponseWriter, r *http.Request, place *settings, name string) {
	_, there := place.secrets[name]
	switch {
	case r.Method == http.MethodGet && name == "public-key":
		say(w, 200, fmt.Sprintf(`{"key_id":"568250167242549743","key":%q}`, base64.StdEncoding.EncodeToString(s.public[:])))
	case r.Method == http.MethodGet && there:
		say(w, 200, fmt.Sprintf(`{"name":%q,"created_at":"2026-01-01T00:00:00Z"}`, name))
	case r.Method == http.MethodPut:
		var body struct {
			Value string `json:"encrypted_value"`
			KeyID string `json:"key_id"`
		}
		assert.NoError(s.t, json.NewDecoder(r.Body).Decode(&body))
		assert.Equal(s.t, "568250167242549743", body.KeyID)
		sealed, err := base64.StdEncoding.DecodeString(body.Value)
		assert.NoError(s.t, err)
		opened, ok := box.OpenAnonymous(nil, sealed, s.public, s.private)
		assert.True(s.t, ok, "the box opens with the repository's key")
		place.secrets[name] = string(opened)
		w.WriteHeader(map[bool]int{true: 204, false: 201}[there])
	default:
		say(w, 404, `{"message":"Not Found"}`)
	}
}

func say(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body)
}

// refuse is an override with headers, given as name and value in turn.
func refuse(code int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		say(w, code, body)
	}
}

func desired(environment string) Desired {
	return Desired{
		Owner: "octo", Repo: "flake", Environment: environment,
		Variables: map[string]string{"CACHIX_CACHE_NAME": "acme", "B_NAME": "b"},
		Secrets: map[string]secretsource.Value{
			"CACHIX_AUTH_TOKEN": secretsource.NewValue("s3cret-one"), "AGE_KEY": secretsource.NewValue("s3cret-two\nline"),
		},
	}
}

// requireSilent looks for the token and the secrets in everything that could be shown.
func requireSilent(t *testing.T, shown ...any) {
	t.Helper()
	for _, thing := range shown {
		text := fmt.Sprintf("%v %+v %#v", thing, thing, thing)
		if encoded, err := json.Marshal(thing); err == nil {
			text += string(encoded)
		}
		require.NotContains(t, text, "hunter2")
		require.NotContains(t, text, "s3cret")
		require.NotContains(t, text, "\x1b")
	}
}

package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/nacl/box"
)

// githubStandIn answers as GitHub does, for the repository octo/flake. It opens sealed boxes with a real key.
type githubStandIn struct {
	*answers
	t               *testing.T
	public, private *[32]byte

	variables, secrets map[string]string // by "place/NAME", with place "actions" or "environments/E"
	environments       []string
}

func newGitHub(t *testing.T) *githubStandIn {
	t.Helper()
	requireTool(t, "gh")
	public, private, err := box.GenerateKey(rand.Reader)
	require.NoError(t, err)
	s := &githubStandIn{t: t, public: public, private: private, variables: map[string]string{}, secrets: map[string]string{}}
	s.answers = serve(t, s.answer)
	return s
}

// env is the environment that leads the real gh to the stand-in: GitHub's own host for developers, through a proxy.
func (s *githubStandIn) env() map[string]string {
	return map[string]string{"GH_HOST": "github.localhost", "GH_TOKEN": githubToken, "HTTP_PROXY": s.URL}
}

func (s *githubStandIn) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	assert.NoError(s.t, err)
	r.Body = io.NopCloser(bytes.NewReader(body))
	rest, found := strings.CutPrefix(r.URL.EscapedPath(), "/repos/octo/flake")
	place, kind, name := settingOf(rest)
	switch {
	case r.Header.Get("Authorization") != "token "+githubToken:
		refuse(401, "Bad credentials")(w, r)
	case !found:
		refuse(404, "Not Found")(w, r)
	case rest == "":
		reply(w, 200, map[string]any{"full_name": "octo/flake", "permissions": map[string]bool{"admin": true}})
	case place != "actions" && !strings.Contains(" "+strings.Join(s.environments, " ")+" ", " "+place+" "):
		refuse(404, "Not Found")(w, r)
	case kind == "variables":
		s.variable(w, r, place+"/"+name)
	case kind == "secrets":
		s.secret(w, r, place, name)
	default:
		refuse(404, "Not Found")(w, r)
	}
}

// settingOf splits "/environments/E/secrets/NAME".
func settingOf(path string) (place, kind, name string) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if parts[0] == "environments" && len(parts) > 2 {
		parts = append([]string{"environments/" + parts[1]}, parts[2:]...)
	}
	parts = append(parts, "", "")
	return parts[0], parts[1], parts[2]
}

func (s *githubStandIn) variable(w http.ResponseWriter, r *http.Request, at string) {
	var body struct{ Name, Value string }
	if r.Method != http.MethodGet {
		assert.NoError(s.t, json.NewDecoder(r.Body).Decode(&body))
	}
	value, there := s.variables[at]
	_, taken := s.variables[at+body.Name]
	switch {
	case r.Method == http.MethodPost && taken:
		refuse(409, "Already exists - Variable already exists")(w, r)
	case r.Method == http.MethodPost:
		s.variables[at+body.Name] = body.Value
		reply(w, 201, map[string]any{})
	case !there:
		refuse(404, "Not Found")(w, r)
	case r.Method == http.MethodPatch:
		s.variables[at] = body.Value
		w.WriteHeader(204)
	default:
		reply(w, 200, map[string]string{"name": body.Name, "value": value})
	}
}

func (s *githubStandIn) secret(w http.ResponseWriter, r *http.Request, place, name string) {
	_, there := s.secrets[place+"/"+name]
	switch {
	case r.Method == http.MethodGet && name == "public-key":
		reply(w, 200, map[string]string{"key_id": "568250167242549743", "key": base64.StdEncoding.EncodeToString(s.public[:])})
	case r.Method == http.MethodGet && name == "":
		list := []map[string]string{}
		for at := range s.secrets {
			if name, ok := strings.CutPrefix(at, place+"/"); ok {
				list = append(list, map[string]string{"name": name})
			}
		}
		reply(w, 200, map[string]any{"total_count": len(list), "secrets": list})
	case r.Method == http.MethodPut:
		var body struct {
			Box   string `json:"encrypted_value"`
			KeyID string `json:"key_id"`
		}
		assert.NoError(s.t, json.NewDecoder(r.Body).Decode(&body))
		assert.Equal(s.t, "568250167242549743", body.KeyID)
		sealed, err := base64.StdEncoding.DecodeString(body.Box)
		assert.NoError(s.t, err)
		opened, ok := box.OpenAnonymous(nil, sealed, s.public, s.private)
		assert.True(s.t, ok, "the box opens with the repository's key")
		s.secrets[place+"/"+name] = string(opened)
		reply(w, map[bool]int{true: 204, false: 201}[there], map[string]any{})
	default:
		refuse(404, "Not Found")(w, r)
	}
}

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if status != 204 {
		_ = json.NewEncoder(w).Encode(value)
	}
}

// refuse is GitHub's way to say no, with headers given as name and value in turn.
func refuse(status int, message string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		reply(w, status, map[string]string{"message": message})
	}
}

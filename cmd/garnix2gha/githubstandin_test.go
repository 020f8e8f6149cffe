package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
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

	admin       bool
	apps        map[string]int // ids by the name in the address
	rulesets    []map[string]any
	protections []protection
}

// protection is a classic branch protection as GraphQL shows it.
type protection struct {
	ID                   string       `json:"id"`
	Pattern              string       `json:"pattern"`
	RequiresStatusChecks bool         `json:"requiresStatusChecks"`
	RequiredStatusChecks []classCheck `json:"requiredStatusChecks"`
}

type classCheck struct {
	Context string    `json:"context"`
	App     *classApp `json:"app"`
}

type classApp struct {
	ID         string `json:"id"`
	DatabaseID int    `json:"databaseId"`
}

func newGitHub(t *testing.T) *githubStandIn {
	t.Helper()
	requireTool(t, "gh")
	public, private, err := box.GenerateKey(rand.Reader)
	require.NoError(t, err)
	s := &githubStandIn{t: t, public: public, private: private, variables: map[string]string{}, secrets: map[string]string{}}
	s.admin, s.apps = true, map[string]int{"github-actions": 15368, "garnix-ci": 4711}
	s.answers = serve(t, s.answer)
	return s
}

// env is the environment that leads the real gh to the stand-in: GitHub's own host for developers, through a proxy.
func (s *githubStandIn) env() map[string]string {
	return map[string]string{"GH_HOST": "github.localhost", "GH_TOKEN": githubToken, "HTTP_PROXY": s.URL}
}

// hand hands the fields from the test to the server, and back.
func (s *githubStandIn) hand() {
	s.mu.Lock()
	defer s.mu.Unlock()
}

func (s *githubStandIn) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	assert.NoError(s.t, err)
	r.Body = io.NopCloser(bytes.NewReader(body))
	rest, found := strings.CutPrefix(r.URL.EscapedPath(), "/repos/octo/flake")
	place, kind, name := settingOf(rest)
	slug, isApp := strings.CutPrefix(r.URL.Path, "/apps/")
	switch {
	case r.Header.Get("Authorization") != "token "+githubToken:
		refuse(401, "Bad credentials")(w, r)
	case r.URL.Path == "/graphql":
		s.graphql(w, r)
	case isApp && s.apps[slug] != 0:
		reply(w, 200, map[string]any{"id": s.apps[slug], "node_id": node(s.apps[slug]), "slug": slug})
	case !found:
		refuse(404, "Not Found")(w, r)
	case rest == "":
		reply(w, 200, map[string]any{"full_name": "octo/flake", "permissions": map[string]bool{"admin": s.admin}})
	case place == "rulesets":
		s.ruleset(w, r, kind)
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

// readOnly are the fields of a ruleset that GitHub sets.
var readOnly = []string{"id", "node_id", "source", "source_type", "created_at", "updated_at", "_links", "current_user_can_bypass"}

// ruleset lists rulesets two a page, shows one, or replaces one by what is sent and nothing else.
func (s *githubStandIn) ruleset(w http.ResponseWriter, r *http.Request, id string) {
	if id == "" {
		page, _ := strconv.Atoi(cmp.Or(r.URL.Query().Get("page"), "1"))
		list := []map[string]any{}
		for _, ruleset := range s.rulesets[min(len(s.rulesets), 2*page-2):min(len(s.rulesets), 2*page)] {
			list = append(list, map[string]any{"id": ruleset["id"], "name": ruleset["name"]})
		}
		if 2*page < len(s.rulesets) {
			w.Header().Set("Link", fmt.Sprintf(`<http://api.github.localhost%s?page=%d>; rel="next"`, r.URL.Path, page+1))
		}
		reply(w, 200, list)
		return
	}
	at := slices.IndexFunc(s.rulesets, func(ruleset map[string]any) bool { return fmt.Sprint(ruleset["id"]) == id })
	if at < 0 || r.Method == http.MethodPut && (s.rulesets[at]["source_type"] != "Repository" || !s.admin) {
		refuse(404, "Not Found")(w, r)
		return
	}
	if r.Method == http.MethodPut {
		var sent map[string]any
		decoder := json.NewDecoder(r.Body)
		decoder.UseNumber()
		assert.NoError(s.t, decoder.Decode(&sent))
		for _, field := range readOnly {
			if sent[field] != nil {
				refuse(422, "Invalid request: "+field+" is not a permitted key.")(w, r)
				return
			}
			sent[field] = s.rulesets[at][field]
		}
		s.rulesets[at] = sent
	}
	reply(w, 200, s.rulesets[at])
}

func node(app int) string { return fmt.Sprintf("A_%d", app) }

// graphql shows the branch protections one a page, to administrators, or changes the checks of one.
func (s *githubStandIn) graphql(w http.ResponseWriter, r *http.Request) {
	var sent struct {
		Query     string
		Variables struct {
			Owner, Name, EndCursor, Rule string
			Checks                       []struct{ Context, AppID string }
		}
	}
	assert.NoError(s.t, json.NewDecoder(r.Body).Decode(&sent))
	if !strings.Contains(sent.Query, "mutation") {
		assert.Equal(s.t, "octo/flake", sent.Variables.Owner+"/"+sent.Variables.Name)
		at, _ := strconv.Atoi(sent.Variables.EndCursor)
		nodes := []protection{}
		if s.admin && at < len(s.protections) {
			nodes = s.protections[at : at+1]
		}
		reply(w, 200, map[string]any{"data": map[string]any{"repository": map[string]any{"branchProtectionRules": map[string]any{
			"nodes": nodes, "pageInfo": map[string]any{"hasNextPage": s.admin && at+1 < len(s.protections), "endCursor": strconv.Itoa(at + 1)},
		}}}})
		return
	}
	for i := range s.protections {
		if s.protections[i].ID != sent.Variables.Rule {
			continue
		}
		s.protections[i].RequiredStatusChecks = nil
		for _, c := range sent.Variables.Checks {
			check := classCheck{Context: c.Context}
			if c.AppID != "any" {
				check.App = &classApp{ID: c.AppID}
				_, err := fmt.Sscanf(c.AppID, "A_%d", &check.App.DatabaseID)
				assert.NoError(s.t, err, "an app, or any: GitHub would choose one else")
			}
			s.protections[i].RequiredStatusChecks = append(s.protections[i].RequiredStatusChecks, check)
		}
		reply(w, 200, map[string]any{"data": map[string]any{"updateBranchProtectionRule": map[string]any{"clientMutationId": nil}}})
		return
	}
	reply(w, 200, map[string]any{"data": nil, "errors": []map[string]string{{"type": "NOT_FOUND", "message": "Could not resolve to a node with the global id"}}})
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

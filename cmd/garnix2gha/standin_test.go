package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The tokens of these tests: none of their texts may ever be shown.
const (
	pushToken    = "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiJwdXNoIn0.hunter2-push"
	readToken    = "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiJyZWFkIn0.hunter2-read"
	accountToken = "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiJhbGwifQ.hunter2-account"
	expiredToken = "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiJvbGQifQ.hunter2-expired"
	githubToken  = "ghp_hunter2github"
	cacheKey     = "acme.cachix.org-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
)

// answers is a server that asks its handlers first: "METHOD /path" leads to another answer.
type answers struct {
	*httptest.Server
	mu       sync.Mutex
	override map[string]http.HandlerFunc
	log      []string // "METHOD /path"
}

func serve(t *testing.T, handler http.HandlerFunc) *answers {
	t.Helper()
	a := &answers{override: map[string]http.HandlerFunc{}}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entry := r.Method + " " + r.URL.EscapedPath()
		a.mu.Lock()
		defer a.mu.Unlock()
		a.log = append(a.log, entry)
		if other := a.override[entry]; other != nil {
			other(w, r)
			return
		}
		handler(w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

// asked counts requests.
func (a *answers) asked(entry string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(a.log), func(e string) bool { return e != entry }))
}

// say is a fixed answer.
func say(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// cutOff promises more than it sends.
func cutOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"name":`)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// refused is an address at which nobody listens: a port that was free once may be somebody's by now.
const refused = "http://127.0.0.1:1"

const proxyPage = "<html><head><title>login</title></head><body>Please log in.</body></html>"

// cachixStandIn answers as Cachix does: plain-text errors, and 401 for missing and forbidden alike.
type cachixStandIn struct {
	*answers
	caches map[string]map[string]any // by name, what a reader gets
}

func newCachix(t *testing.T, substituter string) *cachixStandIn {
	t.Helper()
	s := &cachixStandIn{caches: map[string]map[string]any{
		"acme": {"name": "acme", "uri": substituter + "/", "isPublic": true, "publicSigningKeys": []string{cacheKey}, "githubUsername": "octo"},
	}}
	s.answers = serve(t, s.answer)
	return s
}

// env is the environment that leads to the stand-in.
func (s *cachixStandIn) env(token string) map[string]string {
	return map[string]string{apiVariable: s.URL + "/api/v1", tokenVariable: token}
}

func (s *cachixStandIn) answer(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	path := strings.TrimPrefix(r.URL.Path, "/api/v1")
	name, isCache := strings.CutPrefix(path, "/cache/")
	cache := s.caches[name]
	public := cache != nil && cache["isPublic"] == true
	switch {
	case token == expiredToken:
		say(401, "text/plain", `Cachix Auth token "ci" has expired.`)(w, r)
	case path == "/user" && token == accountToken:
		say(200, "application/json", `{"id":7,"slug":"octo","githubUsername":"octo","subscriptionPlan":"Community"}`)(w, r)
	case isCache && r.Method == http.MethodPost && token == accountToken:
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		s.caches[name] = map[string]any{"name": name, "uri": "https://" + name + ".cachix.org", "isPublic": body["isPublic"], "publicSigningKeys": []string{cacheKey}}
	case isCache && r.Method == http.MethodGet && cache != nil && (public || token == pushToken || token == accountToken):
		shown := maps.Clone(cache)
		shown["permission"] = map[string]string{pushToken: "Write", accountToken: "Admin"}[token]
		if shown["permission"] == "" {
			shown["permission"] = "Read"
		}
		_ = json.NewEncoder(w).Encode(shown)
	case isCache:
		say(401, "text/plain", "Binary cache "+name+" doesn't exist or you're not authorized to access it.")(w, r)
	default:
		say(401, "text/plain", "Unauthorized")(w, r)
	}
}

// storePath makes a store path out of a name.
func storePath(name string) string {
	return "/nix/store/" + strings.Repeat("0", 32-len(name)) + strings.NewReplacer("e", "0", "o", "0", "t", "0", "u", "0").Replace(name) + "-" + name
}

// newSubstituter is a binary cache that serves paths; with a password it wants that.
func newSubstituter(t *testing.T, password string, paths ...string) *answers {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if _, got, _ := r.BasicAuth(); got != password {
			say(401, "text/plain", "Unauthorized")(w, r)
			return
		}
		if r.URL.Path == "/nix-cache-info" {
			_, _ = io.WriteString(w, "StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 41\n")
			return
		}
		for _, path := range paths {
			base := strings.TrimPrefix(path, "/nix/store/")
			if r.URL.Path == "/"+base[:32]+".narinfo" {
				hash := "sha256:" + strings.Repeat("0", 52)
				fmt.Fprintf(w, "StorePath: %s\nURL: nar/x.nar.xz\nCompression: xz\nFileHash: %s\nFileSize: 99\nNarHash: %s\nNarSize: 120\nReferences: \n", path, hash, hash)
				return
			}
		}
		say(404, "text/plain", "404 - Not Found")(w, r)
	})
}

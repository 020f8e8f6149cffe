package cachix

import (
	"context"
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

	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/cmd/internal/secretsource"
)

// key is a public signing key of the right shape.
const key = "acme.cachix.org-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// standCache is a cache of the stand-in; grants are permissions by token.
type standCache struct {
	public bool
	keys   []string
	grants map[string]Permission
}

// standIn answers as Cachix's API does: plain-text errors, 401 for missing and forbidden alike, an empty body after a
// creation, and a token for one cache that gets its own cache whatever it asks for.
type standIn struct {
	t      *testing.T
	server *httptest.Server

	mu       sync.Mutex
	caches   map[string]*standCache
	accounts map[string]string           // token -> its account, as JSON
	expired  map[string]string           // token -> its description
	bound    map[string]string           // token -> the one cache that it gets
	override map[string]http.HandlerFunc // "METHOD /path" -> another answer
	log      []string                    // "METHOD /path", with " +token" where one was sent
	created  map[string]map[string]any   // what was posted, by cache
}

func newStandIn(t *testing.T) *standIn {
	t.Helper()
	s := &standIn{
		t: t, caches: map[string]*standCache{}, accounts: map[string]string{}, expired: map[string]string{},
		bound: map[string]string{}, override: map[string]http.HandlerFunc{}, created: map[string]map[string]any{},
	}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	return s
}

// client is the client under test; its waits are not waited.
func (s *standIn) client(token string) Client {
	return New(restapi.Caller{
		BaseURL: s.server.URL + "/api/v1", Token: secretsource.NewValue(token),
		HTTP:  &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/api/v1")
	entry := r.Method + " " + path
	s.mu.Lock()
	if answer, ok := s.override[entry]; ok {
		s.mu.Unlock()
		answer(w, r)
		return
	}
	defer s.mu.Unlock()
	if token != "" {
		s.log = append(s.log, entry+" +token")
	} else {
		s.log = append(s.log, entry)
	}
	description, isExpired := s.expired[token]
	name, isCache := strings.CutPrefix(path, "/cache/")
	switch {
	case isExpired:
		s.refuse(w, `Cachix Auth token "`+description+`" has expired.`)
	case path == "/user" && s.accounts[token] != "":
		_, _ = io.WriteString(w, s.accounts[token])
	case isCache && r.Method == http.MethodGet:
		s.show(w, name, token)
	case isCache && r.Method == http.MethodPost:
		s.create(w, r, name, token)
	default:
		s.refuse(w, "Unauthorized")
	}
}

func (s *standIn) refuse(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain;charset=utf-8")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, text)
}

func (s *standIn) show(w http.ResponseWriter, name, token string) {
	if own, ok := s.bound[token]; ok {
		name = own
	}
	cache := s.caches[name]
	if cache == nil || (!cache.public && cache.grants[token] == "") {
		s.refuse(w, "Binary cache "+name+" doesn't exist or you're not authorized to access it.")
		return
	}
	permission := cache.grants[token]
	if permission == "" {
		permission = Read
	}
	keys := cache.keys
	if keys == nil {
		keys = []string{}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"name": name, "uri": s.server.URL + "/plane/" + name + "/", "isPublic": cache.public, "publicSigningKeys": keys,
		"githubUsername": "octo", "permission": permission, "preferredCompressionMethod": "ZSTD", "somethingNew": []int{1},
	})
}

func (s *standIn) create(w http.ResponseWriter, r *http.Request, name, token string) {
	if s.accounts[token] == "" {
		s.refuse(w, "Unauthorized")
		return
	}
	if s.caches[name] != nil {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "Invalid `name`")
		return
	}
	var body map[string]any
	assert.NoError(s.t, json.NewDecoder(r.Body).Decode(&body))
	s.created[name] = body
	s.caches[name] = &standCache{public: body["isPublic"] == true, keys: []string{key}, grants: map[string]Permission{token: Admin}}
}

// answer is an override with a fixed reply.
func answer(code int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(code)
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

// jwt is a token shaped as a JSON Web Token; its last part makes it easy to look for.
func jwt(payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(payload)) + ".hunter2hunter2"
}

// requireSilent looks for a token, or its telling part, in everything that could be shown.
func requireSilent(t *testing.T, token string, shown ...any) {
	t.Helper()
	for _, thing := range shown {
		text := fmt.Sprintf("%v %+v %#v", thing, thing, thing)
		if encoded, err := json.Marshal(thing); err == nil {
			text += string(encoded)
		}
		if err, ok := thing.(error); ok {
			text += err.Error()
		}
		if token != "" {
			require.NotContains(t, text, token)
		}
		require.NotContains(t, text, "hunter2")
		require.NotContains(t, text, "\x1b")
	}
}

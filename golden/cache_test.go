package golden_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// actCache is a binary cache on loopback that keeps what is put there.
type actCache struct {
	URL string

	mu     sync.Mutex
	files  map[string][]byte // by URL path
	refuse int               // status that answers every PUT; 0 for none
	after  int               // number of PUTs still taken before refuse counts
	down   int               // status that answers everything; 0 for none
	ever   map[string]bool   // store paths that were put, evicted ones too
	asked  int               // narinfo look-ups

	statuses []string // "context=state" of every commit status posted below /api
	password string   // what reading the same files below /private takes
}

var storePathLine = regexp.MustCompile(`(?m)^StorePath: (\S+)$`)

// executedCache starts a cache and stops it with the test.
func executedCache(t testing.TB) *actCache {
	t.Helper()
	cache := &actCache{files: map[string][]byte{}, ever: map[string]bool{}}
	server := httptest.NewServer(cache)
	t.Cleanup(server.Close)
	cache.URL = server.URL
	return cache
}

func (c *actCache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if file, private := strings.CutPrefix(r.URL.Path, "/private"); private {
		if _, password, _ := r.BasicAuth(); password == "" || password != c.password {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		r.URL.Path = file
	}
	switch {
	case r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/api/repos/"):
		var status struct{ Context, State string }
		if json.Unmarshal(body, &status) != nil || r.Header.Get("Authorization") == "" {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		c.statuses = append(c.statuses, status.Context+"="+status.State)
		w.WriteHeader(http.StatusCreated)
	case c.down != 0:
		w.WriteHeader(c.down)
	case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/api/v1/cache/"):
		// What Cachix says of a cache. The key is nobody's: nothing that is served here is signed.
		_ = json.NewEncoder(w).Encode(map[string]any{"name": path.Base(r.URL.Path), "isPublic": true, "uri": "http://" + r.Host,
			"publicSigningKeys": []string{"standin-1:" + strings.Repeat("A", 43) + "="}})
	case r.Method == http.MethodPut && c.refuse != 0 && c.after == 0:
		w.WriteHeader(c.refuse)
	case r.Method == http.MethodPut:
		c.after = max(c.after-1, 0)
		c.files[r.URL.Path] = body
		if match := storePathLine.FindSubmatch(body); match != nil {
			c.ever[string(match[1])] = true
		}
	case r.URL.Path == "/nix-cache-info":
		_, _ = w.Write([]byte("StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 30\n"))
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		if strings.HasSuffix(r.URL.Path, ".narinfo") {
			c.asked++
		}
		content, ok := c.files[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// fail makes the cache answer every PUT after the next ones with a status; 0 heals it.
func (c *actCache) fail(status, after int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse, c.after = status, after
}

// unavailable makes the cache answer everything with a status; 0 heals it.
func (c *actCache) unavailable(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = status
}

// paths returns the store paths that the cache has, by the address of their narinfo.
func (c *actCache) paths() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := map[string]string{}
	for file, content := range c.files {
		if match := storePathLine.FindSubmatch(content); match != nil && strings.HasSuffix(file, ".narinfo") {
			found[file] = string(match[1])
		}
	}
	return found
}

// known returns the store paths of a name that the cache has or had.
func (c *actCache) known(name string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []string
	for storePath := range c.ever {
		if storeName(storePath) == name {
			found = append(found, storePath)
		}
	}
	return found
}

// names returns the sorted names of the store paths that the cache has, without their hashes.
func (c *actCache) names() []string {
	var names []string
	for _, storePath := range c.paths() {
		names = append(names, storeName(storePath))
	}
	slices.Sort(names)
	return names
}

// evict removes the store paths of a name and reports how many there were.
func (c *actCache) evict(name string) int {
	n := 0
	for file, storePath := range c.paths() {
		if storeName(storePath) == name {
			c.mu.Lock()
			delete(c.files, file)
			c.mu.Unlock()
			n++
		}
	}
	return n
}

// taken returns how many narinfo were asked for and which statuses were posted since the last call.
func (c *actCache) taken() (asked int, statuses []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked, statuses = c.asked, c.statuses
	c.asked, c.statuses = 0, nil
	return asked, statuses
}

// storeName is the name of a store path without its hash.
func storeName(storePath string) string {
	_, name, _ := strings.Cut(path.Base(storePath), "-")
	return name
}

func TestExecutedCacheKeepsWhatIsPut(t *testing.T) {
	t.Parallel()
	cache := executedCache(t)
	put := func(file, body string) int {
		request, err := http.NewRequest(http.MethodPut, cache.URL+file, strings.NewReader(body))
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	narinfo := "StorePath: /nix/store/00000000000000000000000000000000-hello\nURL: nar/x\n"
	require.Equal(t, http.StatusOK, put("/00000000000000000000000000000000.narinfo", narinfo))
	require.Equal(t, []string{"hello"}, cache.names())
	cache.fail(http.StatusForbidden, 1)
	require.Equal(t, http.StatusOK, put("/first", ""))
	require.Equal(t, http.StatusForbidden, put("/second", ""))
	require.Equal(t, 1, cache.evict("hello"))
	require.Empty(t, cache.names())
}

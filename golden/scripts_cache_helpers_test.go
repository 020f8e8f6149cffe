package golden_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// scriptCache is a binary cache on the loopback interface: a folder that PUT writes and GET reads.
type scriptCache struct {
	t     testing.TB
	dir   string
	url   string
	delay time.Duration
	// answer, if set, may answer a request itself; n counts the requests for this path from 1.
	answer func(w http.ResponseWriter, r *http.Request, n int) bool

	mu    sync.Mutex
	count map[string]int // by method and path
}

func newScriptCache(t testing.TB) *scriptCache {
	t.Helper()
	c := &scriptCache{t: t, dir: t.TempDir(), count: map[string]int{}}
	require.NoError(t, os.WriteFile(filepath.Join(c.dir, "nix-cache-info"), []byte("StoreDir: /nix/store\nWantMassQuery: 1\n"), 0o644))
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *scriptCache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := path.Clean("/" + r.URL.Path)
	c.mu.Lock()
	c.count[r.Method+" "+name]++
	n := c.count[r.Method+" "+name]
	answer := c.answer
	c.mu.Unlock()
	time.Sleep(c.delay)
	if answer != nil && answer(w, r, n) {
		return
	}
	file := filepath.Join(c.dir, filepath.FromSlash(name))
	switch r.Method {
	case http.MethodPut:
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(file), 0o755)
		}
		if err == nil {
			err = os.WriteFile(file, body, 0o644)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	case http.MethodGet, http.MethodHead:
		body, err := os.ReadFile(file)
		if err != nil {
			http.Error(w, "404 - Not Found", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		if r.Method == http.MethodGet {
			_, _ = w.Write(body)
		}
	default:
		http.Error(w, "no", http.StatusMethodNotAllowed)
	}
}

// asked is how often paths that contain text were asked for with the method.
func (c *scriptCache) asked(method, text string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	sum := 0
	for request, n := range c.count {
		if strings.HasPrefix(request, method+" ") && strings.Contains(request, text) {
			sum += n
		}
	}
	return sum
}

// put stores a narinfo for a store path.
func (c *scriptCache) put(storePath string) {
	c.t.Helper()
	text := "StorePath: " + storePath + "\nURL: nar/x.nar\nCompression: none\nNarHash: sha256:" + strings.Repeat("0", 52) + "\nNarSize: 1\nReferences: \n"
	require.NoError(c.t, os.WriteFile(filepath.Join(c.dir, scriptHash(storePath)+".narinfo"), []byte(text), 0o644))
}

// has reports whether the cache holds a narinfo for the store path.
func (c *scriptCache) has(storePath string) bool {
	_, err := os.Stat(filepath.Join(c.dir, scriptHash(storePath)+".narinfo"))
	return err == nil
}

func scriptHash(storePath string) string {
	hash, _, _ := strings.Cut(strings.TrimPrefix(storePath, "/nix/store/"), "-")
	return hash
}

// scriptPath is the n-th store path of a test that needs no store.
func scriptPath(n int, name string) string {
	const digits = "0123456789abcdfghijklmnpqrsvwxyz"
	hash := []byte(strings.Repeat("0", 32))
	for i := 31; n > 0; i-- {
		hash[i] = digits[n%32]
		n /= 32
	}
	return "/nix/store/" + string(hash) + "-" + name
}

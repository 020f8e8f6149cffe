package bincache

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// signer stands in for the key of a cache.
type signer struct {
	name   string
	secret ed25519.PrivateKey
}

func newSigner(name string) signer {
	seed := sha256.Sum256([]byte(name))
	return signer{name: name, secret: ed25519.NewKeyFromSeed(seed[:])}
}

func (s signer) public() string {
	return s.name + ":" + base64.StdEncoding.EncodeToString(s.secret.Public().(ed25519.PublicKey))
}

func (s signer) sign(n NarInfo) string {
	return s.name + ":" + base64.StdEncoding.EncodeToString(ed25519.Sign(s.secret, []byte(n.fingerprint())))
}

// pathNamed makes a valid store path out of a name.
func pathNamed(name string) StorePath {
	sum := sha256.Sum256([]byte(name))
	hash := strings.Repeat("0", 32) + strconv.FormatUint(binary.BigEndian.Uint64(sum[:8]), 16)
	// Of base 16 only the e is no digit of Nix's base 32.
	return StorePath{base: strings.ReplaceAll(hash, "e", "z")[len(hash)-32:] + "-" + name}
}

func narInfo(path StorePath, refs []StorePath, signers ...signer) string {
	sum := sha256.Sum256([]byte("archive of " + path.base))
	hash, _ := normalHash(fmt.Sprintf("sha256:%x", sum))
	refs = slices.SortedFunc(slices.Values(refs), func(a, b StorePath) int { return strings.Compare(a.base, b.base) })
	info := NarInfo{StorePath: path, NarHash: hash, NarSize: 120, References: refs}
	var b strings.Builder
	fmt.Fprintf(&b, "StorePath: %s\nURL: nar/%s.nar.xz\nCompression: xz\nFileHash: %s\nFileSize: 99\nNarHash: %s\nNarSize: 120\n",
		path, path.Hash(), hash, hash)
	bases := make([]string, len(refs))
	for i, ref := range refs {
		bases[i] = ref.base
	}
	fmt.Fprintf(&b, "References: %s\n", strings.Join(bases, " "))
	for _, s := range signers {
		fmt.Fprintf(&b, "Sig: %s\n", s.sign(info))
	}
	return b.String()
}

const goodCacheInfo = "StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 41\n"

// fakeCache is a binary cache on a loopback port. What is not set is absent.
type fakeCache struct {
	*httptest.Server
	mu       sync.Mutex
	answers  map[string]http.HandlerFunc // by path below the root
	requests []*http.Request
}

func newCache(t testing.TB) *fakeCache {
	t.Helper()
	f := &fakeCache{answers: map[string]http.HandlerFunc{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Server.Close)
	f.text("nix-cache-info", goodCacheInfo)
	return f
}

func (f *fakeCache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	f.mu.Lock()
	f.requests = append(f.requests, r)
	answer := f.answers[path]
	f.mu.Unlock()
	if answer == nil {
		answer = status(http.StatusNotFound, "404 - Not Found")
	}
	answer(w, r)
}

func (f *fakeCache) on(path string, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[path] = h
}

func (f *fakeCache) text(path, body string) { f.on(path, status(http.StatusOK, body)) }

// holds makes the cache serve a path.
func (f *fakeCache) holds(path StorePath, refs []StorePath, signers ...signer) {
	f.text(path.Hash()+".narinfo", narInfo(path, refs, signers...))
}

// asked returns the requests so far that came for a path below the root.
func (f *fakeCache) asked(path string) []*http.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.requests), func(r *http.Request) bool { return r.URL.Path != "/"+path })
}

func (f *fakeCache) host() string { return strings.TrimPrefix(f.URL, "http://") }

// status answers with a status and a text.
func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// inTurn answers with each handler once and with the last for ever.
func inTurn(handlers ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	next := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		h := handlers[next]
		next = min(next+1, len(handlers)-1)
		mu.Unlock()
		h(w, r)
	}
}

// clock does not wait but remembers how long it should have.
type clock struct {
	mu    sync.Mutex
	waits []time.Duration
}

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = append(c.waits, d)
	return ctx.Err()
}

func newClient(t testing.TB, cfg Config) *Client {
	t.Helper()
	if cfg.Caller.Sleep == nil {
		cfg.Caller.Sleep = (&clock{}).sleep
	}
	c, err := New(cfg)
	require.NoError(t, err)
	return c
}

// verdicts verifies paths and returns the results by path.
func verdicts(t testing.TB, c *Client, closure bool, paths ...string) map[string]Result {
	t.Helper()
	got := map[string]Result{}
	require.NoError(t, c.Verify(t.Context(), slices.Values(paths), closure, func(r Result) {
		require.NotContains(t, got, r.Path, "each path has one result")
		got[r.Path] = r
	}))
	return got
}

// counted verifies paths and returns how often each verdict was given.
func counted(t testing.TB, c *Client, paths iter.Seq[string]) map[Verdict]int {
	t.Helper()
	got := map[Verdict]int{}
	require.NoError(t, c.Verify(t.Context(), paths, false, func(r Result) { got[r.Verdict]++ }))
	return got
}

// verdict verifies one path.
func verdict(t testing.TB, c *Client, path StorePath) Result {
	t.Helper()
	got, ok := verdicts(t, c, false, path.String())[path.String()]
	require.True(t, ok, "no result")
	return got
}

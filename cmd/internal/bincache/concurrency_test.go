package bincache

import (
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// countedServer answers every narinfo after a pause and counts connections and requests at the same time.
type countedServer struct {
	*httptest.Server
	connections, now, most atomic.Int64
}

func newCountedServer(t testing.TB, pause time.Duration) *countedServer {
	s := &countedServer{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := s.now.Add(1)
		defer s.now.Add(-1)
		for most := s.most.Load(); now > most && !s.most.CompareAndSwap(most, now); most = s.most.Load() {
		}
		base, isNarInfo := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/"), ".narinfo")
		if !isNarInfo {
			fmt.Fprint(w, goodCacheInfo)
			return
		}
		time.Sleep(pause)
		fmt.Fprint(w, narInfo(StorePath{base: base + "-p"}, nil))
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// numbered yields n store paths that a countedServer has.
func numbered(n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range n {
			if !yield(StoreDir + "/" + pathNamed(fmt.Sprint(i)).Hash() + "-p") {
				return
			}
		}
	}
}

func TestConcurrencyIsBoundedAndConnectionsAreReused(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 8, 32} {
		t.Run(fmt.Sprint(workers, " at a time"), func(t *testing.T) {
			t.Parallel()
			server := newCountedServer(t, 15*time.Millisecond)
			client := newClient(t, Config{URL: server.URL})
			client.requests = workers
			assert.Equal(t, map[Verdict]int{InCache: 10 * workers}, counted(t, client, numbered(10*workers)))
			assert.LessOrEqual(t, server.most.Load(), int64(workers))
			assert.LessOrEqual(t, server.connections.Load(), int64(workers))
			assert.GreaterOrEqual(t, server.most.Load(), int64(workers+1)/2, "it should run in parallel")
		})
	}
}

func TestDefaultConcurrencyIs32(t *testing.T) {
	t.Parallel()
	server := newCountedServer(t, 20*time.Millisecond)
	assert.Equal(t, map[Verdict]int{InCache: 200}, counted(t, newClient(t, Config{URL: server.URL}), numbered(200)))
	assert.LessOrEqual(t, server.most.Load(), int64(32))
	assert.Greater(t, server.most.Load(), int64(16))
}

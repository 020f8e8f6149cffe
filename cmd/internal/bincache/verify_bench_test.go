package bincache

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/restapi"
)

// BenchmarkVerifyOverASlowNetwork verifies 1,000 paths at 20 ms a request; 3 s is the most it may take.
func BenchmarkVerifyOverASlowNetwork(b *testing.B) {
	server := newCountedServer(b, 20*time.Millisecond)
	client := newClient(b, Config{URL: server.URL})
	for b.Loop() {
		began := time.Now()
		require.Equal(b, map[Verdict]int{InCache: 1000}, counted(b, client, numbered(1000)))
		require.Less(b, time.Since(began), 3*time.Second)
	}
	b.ReportMetric(float64(server.connections.Load()), "connections")
}

// BenchmarkVerifyManyPaths verifies 100,000 paths and reports the largest heap on the way, in MB, server included.
func BenchmarkVerifyManyPaths(b *testing.B) {
	server := newCountedServer(b, 0)
	client := newClient(b, Config{URL: server.URL})
	for b.Loop() {
		peak, done := uint64(0), 0
		require.NoError(b, client.Verify(b.Context(), numbered(100_000), false, func(Result) {
			if done++; done%1000 == 0 {
				peak = max(peak, heapInUse())
			}
		}))
		b.ReportMetric(float64(peak)/1e6, "peak-MB")
	}
}

func heapInUse() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// echo answers every narinfo without a network, so that only the verification's own memory is seen.
type echo struct{}

func (echo) RoundTrip(r *http.Request) (*http.Response, error) {
	body := goodCacheInfo
	if base, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/"), ".narinfo"); ok {
		body = narInfo(StorePath{base: base + "-p"}, nil)
	}
	return &http.Response{StatusCode: http.StatusOK, Request: r, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func TestMemoryDoesNotGrowWithThePaths(t *testing.T) {
	client := newClient(t, Config{URL: "http://127.0.0.1", Caller: restapi.Caller{HTTP: &http.Client{Transport: echo{}}}})
	var first, last uint64
	done := 0
	require.NoError(t, client.Verify(t.Context(), numbered(40_000), false, func(Result) {
		if done++; done == 4_000 || done == 40_000 {
			runtime.GC()
			first, last = last, heapInUse()
		}
	}))
	assert.Less(t, int64(last)-int64(first), int64(2<<20), "36,000 paths more may not need 2 MB more")
}

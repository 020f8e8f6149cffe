package bincache

import (
	"bytes"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"garnix2gha/cmd/internal/restapi"
)

func TestTenMegabytesOfGarbageAreNotRead(t *testing.T) {
	t.Parallel()
	path := pathNamed("hello")
	cache := newCache(t)
	var sent atomic.Int64
	cache.on(path.Hash()+".narinfo", func(w http.ResponseWriter, _ *http.Request) {
		block := bytes.Repeat([]byte("x"), 64<<10)
		for sent.Load() < 10<<20 {
			n, err := w.Write(block)
			if err != nil {
				return
			}
			sent.Add(int64(n))
		}
	})
	read := &countingTransport{base: &http.Transport{ReadBufferSize: 4 << 10}}
	got := verdict(t, newClient(t, Config{URL: cache.URL, Caller: restapi.Caller{HTTP: &http.Client{Transport: read}}}), path)
	assert.Equal(t, Unknown, got.Verdict)
	assert.Contains(t, got.Cause, "the answer is longer than 1024 KiB")
	assert.LessOrEqual(t, read.bytes.Load(), int64(maxNarInfo+8<<10))
	assert.Len(t, cache.asked(path.Hash()+".narinfo"), 1)
}

// countingTransport counts the bytes of bodies that somebody reads.
type countingTransport struct {
	base  http.RoundTripper
	bytes atomic.Int64
}

func (c *countingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.base.RoundTrip(r)
	if err == nil {
		resp.Body = &countingBody{ReadCloser: resp.Body, bytes: &c.bytes}
	}
	return resp, err
}

type countingBody struct {
	io.ReadCloser
	bytes *atomic.Int64
}

func (c *countingBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

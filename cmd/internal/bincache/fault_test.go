package bincache

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/restapi"
)

const s3Denied = `<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>R1</RequestId></Error>`

func gzipped(body string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, body)
	_ = w.Close()
	return b.Bytes()
}

func compressed(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(body)
	}
}

func TestEveryAnswerOfACacheHasItsVerdict(t *testing.T) {
	t.Parallel()
	path := pathNamed("hello-1.0")
	good := status(http.StatusOK, narInfo(path, nil))
	for _, tc := range []struct {
		name    string
		answer  http.HandlerFunc
		verdict Verdict
		cause   string
		next    string
		asked   int
	}{
		{"200 with the path is in the cache", good, InCache, "serves it", "", 1},
		{"200 with another path under the hash is missing",
			status(http.StatusOK, narInfo(StorePath{base: path.Hash() + "-hello-2.0"}, nil)),
			Missing, "serves another path under this hash: /nix/store/" + path.Hash() + "-hello-2.0", "who pushed", 1},
		{"404 is missing", status(http.StatusNotFound, "404 - Not Found"), Missing, "does not have it (404)", "build it and push it", 1},
		{"410 is missing", status(http.StatusGone, ""), Missing, "does not have it (410)", "build it and push it", 1},
		{"403 from a cache that shows its info is S3's way to say missing", status(http.StatusForbidden, s3Denied),
			Missing, "answers 403, as S3 does for what it does not have: AccessDenied Access Denied", "build it and push it", 1},
		{"401 is unknown", status(http.StatusUnauthorized, "Binary cache x doesn't exist or you're not authorized"),
			Unknown, "wants credentials and none were given (401): Binary cache x doesn't exist", "give a netrc entry", 1},
		{"407 is unknown", status(http.StatusProxyAuthRequired, ""), Unknown, "wants credentials and none were given (407)", "give a netrc entry", 1},
		{"400 is unknown", status(http.StatusBadRequest, "Invalid `hash`"), Unknown, "does not accept the request (400): Invalid `hash`", "check that", 1},
		{"204 is unknown", status(http.StatusNoContent, ""), Unknown, "something else than expected: parse narinfo: the last line is cut off", "check that", 1},
		{"a redirect to nowhere is unknown", status(http.StatusFound, ""), Unknown, "something else than expected (302)", "check that", 1},
		{"429 and then the path is in the cache", inTurn(status(http.StatusTooManyRequests, ""), good), InCache, "serves it", "", 2},
		{"three 500s and then the path is in the cache",
			inTurn(status(500, ""), status(502, ""), status(503, ""), good), InCache, "serves it", "", 4},
		{"500 and then 404 is missing", inTurn(status(500, ""), status(404, "")), Missing, "does not have it", "build it", 2},
		{"a web page is unknown", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!DOCTYPE html><title>Sign in</title><script>x</script><p>to the <b>guest</b> network")
		}, Unknown, "answers with something else than expected: a web page (is there a proxy in between?): Sign in to the guest network", "proxy or login page", 1},
		{"a narinfo with the wrong content type still counts", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, narInfo(path, nil))
		}, InCache, "serves it", "", 1},
		{"an empty body is unknown", status(http.StatusOK, ""), Unknown, "the last line is cut off", "check that", 1},
		{"a body cut off at a line is unknown", status(http.StatusOK, "StorePath: "+path.String()+"\n"), Unknown, "URL is missing", "check that", 1},
		{"a connection cut off in the body is asked again", inTurn(cutOff(narInfo(path, nil)), good), InCache, "serves it", "", 2},
		{"a connection cut off before the answer is asked again", inTurn(hangUp, hangUp, hangUp, good), InCache, "serves it", "", -1},
		{"gzip is undone", compressed(gzipped(narInfo(path, nil))), InCache, "serves it", "", 1},
		{"a cut-off gzip is asked again", inTurn(compressed(gzipped(narInfo(path, nil))[:60]), good), InCache, "serves it", "", 2},
		{"a gzip bomb stops at the limit", compressed(gzipped(strings.Repeat("0", 10<<20))), Unknown, "the answer is longer than 1024 KiB", "check that", 1},
		{"an encoding that nobody asked for is unknown", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			fmt.Fprint(w, "?")
		}, Unknown, "unknown content encoding", "check that", 1},
		{"a terminal is not painted by a cache", status(http.StatusTeapot, "\x1b[31mred\x07"), Unknown, "\uFFFD[31mred", "check that", 1},
		{"a redirect within the host is followed", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RawQuery == "" {
				http.Redirect(w, r, r.URL.Path+"?signed", http.StatusFound)
				return
			}
			good(w, r)
		}, InCache, "serves it", "", 2},
		{"a redirect that never ends is unknown", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}, Unknown, "more than 10 redirects", "check that", 10},
		{"a redirect to a file is unknown", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, Unknown, "a redirect to something other than http or https", "check that", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cache := newCache(t)
			cache.on(path.Hash()+".narinfo", tc.answer)
			got := verdict(t, newClient(t, Config{URL: cache.URL}), path)
			assert.Equal(t, tc.verdict, got.Verdict, got.Cause)
			assert.Contains(t, got.Cause, tc.cause)
			assert.Contains(t, got.Next, tc.next)
			assert.Equal(t, tc.next == "", got.Next == "", got.Next)
			assert.NotContains(t, got.Cause, "\x1b")
			if tc.asked >= 0 {
				assert.Len(t, cache.asked(path.Hash()+".narinfo"), tc.asked)
			}
		})
	}
}

// cutOff promises a body and hangs up in the middle of it.
func cutOff(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = io.WriteString(w, body[:len(body)/2])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestServerThatNeverRecoversIsUnknownOnceTheBudgetIsSpent(t *testing.T) {
	t.Parallel()
	path := pathNamed("hello-1.0")
	for _, tc := range []struct {
		name, cause, next string
		answer            http.HandlerFunc
	}{
		{"500 for ever", "cannot answer now (500): internal error", "verify again later", status(500, "internal error")},
		{"429 for ever", "cannot answer now (429): slow down", "fewer requests", status(429, "slow down")},
		{"always cut off", "gives no answer: the answer was cut off", "the network, then verify again", cutOff(narInfo(path, nil))},
		{"a Retry-After of 0 for ever", "cannot answer now (503)", "verify again later", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cache, pause := newCache(t), &clock{}
			cache.on(path.Hash()+".narinfo", tc.answer)
			got := verdict(t, newClient(t, Config{URL: cache.URL, Caller: restapi.Caller{Sleep: pause.sleep}}), path)
			assert.Equal(t, Unknown, got.Verdict)
			assert.Contains(t, got.Cause, tc.cause)
			assert.Contains(t, got.Next, tc.next)
			total := time.Duration(0)
			for _, wait := range pause.waits {
				assert.LessOrEqual(t, wait, 15*time.Second)
				total += wait
			}
			assert.LessOrEqual(t, total, 90*time.Second)
			assert.Greater(t, len(pause.waits), 5)
			assert.Less(t, len(pause.waits), 10)
		})
	}
}

func TestRefusedConnectionIsUnknownAfterRetries(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	pause := &clock{}
	got := verdict(t, newClient(t, Config{URL: "http://" + address, Caller: restapi.Caller{Sleep: pause.sleep}}), pathNamed("hello"))
	assert.Equal(t, Unknown, got.Verdict)
	assert.Contains(t, got.Cause, "connection refused")
	assert.Contains(t, got.Next, "check the name "+address)
	assert.NotEmpty(t, pause.waits)
}

func TestWhatAskingAgainCannotCureIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	plain := newCache(t)
	for _, tc := range []struct{ name, url, cause string }{
		{"a certificate nobody trusts", secure.URL, "certificate"},
		{"a plain server behind https", strings.Replace(plain.URL, "http://", "https://", 1), "it speaks plain http, not https"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			pause := &clock{}
			got := verdict(t, newClient(t, Config{URL: tc.url, Caller: restapi.Caller{Sleep: pause.sleep}}), pathNamed("hello"))
			assert.Equal(t, Unknown, got.Verdict)
			assert.Contains(t, got.Cause, tc.cause)
			assert.Empty(t, pause.waits)
		})
	}
	t.Run("a name that does not exist", func(t *testing.T) {
		t.Parallel()
		pause := &clock{}
		nowhere := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "cache.invalid", IsNotFound: true}
		}}
		got := verdict(t, newClient(t, Config{URL: "http://cache.invalid", Caller: restapi.Caller{HTTP: &http.Client{Transport: nowhere}, Sleep: pause.sleep}}), pathNamed("hello"))
		assert.Equal(t, Unknown, got.Verdict)
		assert.Contains(t, got.Cause, "there is no host of this name")
		assert.Empty(t, pause.waits)
	})
}

func TestSecureCacheOverHTTP2IsVerified(t *testing.T) {
	t.Parallel()
	path := pathNamed("hello")
	cache := newCache(t)
	cache.holds(path, nil)
	var protocol atomic.Int32
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocol.Store(int32(r.ProtoMajor))
		cache.ServeHTTP(w, r)
	}))
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	got := verdict(t, newClient(t, Config{URL: secure.URL + "/", Caller: restapi.Caller{HTTP: secure.Client()}}), path)
	assert.Equal(t, InCache, got.Verdict, got.Cause)
	assert.EqualValues(t, 2, protocol.Load())
}

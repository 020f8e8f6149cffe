package restapi

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/secretsource"
)

const token = "hunter2-token"

// pauses records waits instead of waiting.
type pauses struct {
	mu   sync.Mutex
	took []time.Duration
}

func (p *pauses) sleep(ctx context.Context, wait time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = append(p.took, wait)
	return ctx.Err()
}

func (p *pauses) total() time.Duration {
	var sum time.Duration
	for _, wait := range p.took {
		sum += wait
	}
	return sum
}

func serve(t *testing.T, handler http.HandlerFunc) (Caller, *pauses) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	waits := &pauses{}
	return Caller{
		Party: "the service", BaseURL: server.URL + "/", Token: secretsource.NewValue(token), Sleep: waits.sleep,
		HTTP: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
	}, waits
}

// faultOf is what a request that was not granted failed with.
func faultOf(t *testing.T, err error) *Fault {
	t.Helper()
	var fault *Fault
	require.ErrorAs(t, err, &fault)
	return fault
}

// sequence answers with each handler in turn, and with the last one ever after.
func sequence(handlers ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	next := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		handler := handlers[min(next, len(handlers)-1)]
		next++
		mu.Unlock()
		handler(w, r)
	}
}

func status(code int, header, value, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if header != "" {
			w.Header().Set(header, value)
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// cutOff promises more than it sends.
func cutOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"half":`)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func TestCallSendsWhatItShould(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	caller, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
	})
	_, err := caller.Do(t.Context(), http.MethodPost, "/a%2Fb/c", map[string]int{"n": 1})
	fault := faultOf(t, err)
	assert.Equal(t, http.StatusTeapot, fault.Status)
	assert.Equal(t, "short and stout", fault.Detail)
	assert.Equal(t, "/a%2Fb/c", got.URL.EscapedPath())
	assert.Equal(t, "Bearer "+token, got.Header.Get("Authorization"))
	assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
	assert.Equal(t, "garnix2gha", got.Header.Get("User-Agent"))
	assert.Equal(t, "application/json", got.Header.Get("Accept"))
	assert.JSONEq(t, `{"n":1}`, string(body))

	caller.Token = secretsource.Value{}
	_, err = caller.Do(t.Context(), http.MethodGet, "/", nil)
	assert.Equal(t, http.StatusTeapot, faultOf(t, err).Status)
	assert.NotContains(t, got.Header, "Authorization")
	assert.NotContains(t, got.Header, "Content-Type")
}

func TestCallSaysWhyThereIsNoAnswer(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	gone := "http://" + listener.Addr().String()
	require.NoError(t, listener.Close())
	rude := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(rude.Close)
	cut := httptest.NewServer(http.HandlerFunc(cutOff))
	t.Cleanup(cut.Close)
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	t.Cleanup(tls.Close)
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(slow.Close)
	long := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.Copy(w, io.LimitReader(zeros{}, maxBody+10))
	}))
	t.Cleanup(long.Close)
	elsewhere := httptest.NewServer(http.RedirectHandler("https://evil.example/"+token, http.StatusFound))
	t.Cleanup(elsewhere.Close)

	for _, tc := range []struct {
		name, base, token, want string
		repeated                bool
	}{
		{"a closed port", gone, token, "connection refused", true},
		{"a connection closed at once", rude.URL, token, "closed without an answer", true},
		{"an answer that is cut off", cut.URL, token, "the answer was cut off", true},
		{"a server slower than the time it has", slow.URL, token, "no answer in time", true},
		{"a certificate that nobody vouches for", tls.URL, token, "certificate", false},
		{"an answer without end", long.URL, token, "answers with something else than expected: the answer is longer than 8192 KiB", false},
		{"a redirect to another server", elsewhere.URL, token, "redirects to evil.example", false},
		{"plain http to another machine", "http://192.0.2.1/api", token, "plain http", false},
		{"plain http to a name", "http://service.example", token, "plain http", false},
		{"another scheme", "ftp://127.0.0.1", token, "want https://", false},
		{"no address", "", token, "want https://", false},
		{"credentials in the address", "https://user:" + token + "@127.0.0.1", token, "want https://", false},
		{"a token with a line break", slow.URL, token + "\nX-Evil: 1", "no token has", false},
		{"a token with a space inside", slow.URL, token + " x", "no token has", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			waits := &pauses{}
			caller := Caller{
				Party: "the service", BaseURL: tc.base, Token: secretsource.NewValue(tc.token), Sleep: waits.sleep,
				HTTP: &http.Client{Timeout: time.Second},
			}
			if tc.repeated {
				caller.HTTP.Timeout = 50 * time.Millisecond
			}
			_, err := caller.Do(t.Context(), http.MethodGet, "/x", nil)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), token)
			assert.Equal(t, tc.repeated, len(waits.took) > 0)
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestCallFollowsARedirectOnTheSameServerOnly(t *testing.T) {
	t.Parallel()
	moved := func(code int) Caller {
		caller, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/old" {
				http.Redirect(w, r, "/new", code)
				return
			}
			body, _ := io.ReadAll(r.Body)
			_, _ = fmt.Fprint(w, r.Method, " ", string(body), r.Header.Get("Authorization"))
		})
		return caller
	}
	answer, err := moved(http.StatusMovedPermanently).Do(t.Context(), http.MethodGet, "/old", nil)
	require.NoError(t, err)
	assert.Equal(t, "GET Bearer "+token, string(answer))

	answer, err = moved(http.StatusTemporaryRedirect).Do(t.Context(), http.MethodPut, "/old", 1)
	require.NoError(t, err)
	assert.Equal(t, "PUT 1Bearer "+token, string(answer))

	_, err = moved(http.StatusMovedPermanently).Do(t.Context(), http.MethodPut, "/old", 1)
	require.ErrorContains(t, err, "redirects to", "a PUT that became a GET would look like a success")
}

func TestCallRefusesABodyThatIsNoJSON(t *testing.T) {
	t.Parallel()
	_, err := Caller{Party: "the service"}.Do(t.Context(), http.MethodPost, "/", func() {})
	require.ErrorContains(t, err, "encode request")
}

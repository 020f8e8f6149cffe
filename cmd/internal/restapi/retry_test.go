package restapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCallRepeats(t *testing.T) {
	t.Parallel()
	fine := status(200, "", "", "fine")
	for _, tc := range []struct {
		name   string
		first  http.HandlerFunc
		shown  string
		asked  time.Duration // what the server asks for; zero is the backoff's first second
		budget bool
	}{
		{name: "after 500", first: status(500, "", "", "oops")},
		{name: "after 408", first: status(408, "", "", "")},
		{name: "after 503 without a time", first: status(503, "", "", "")},
		{name: "after 429 at the seconds it names", first: status(429, "Retry-After", "7", ""), asked: 7 * time.Second},
		{name: "after 503 at the seconds it names", first: status(503, "Retry-After", "3", ""), asked: 3 * time.Second},
		{name: "after 429 two minutes at most", first: status(429, "Retry-After", "99999", ""), asked: 120 * time.Second},
		{name: "after 429 at the seconds in the JSON body", first: status(429, "Content-Type", "application/problem+json", `{"retry_after": 4}`), asked: 4 * time.Second},
		{name: "after 429 at the seconds in the JSON body as text", first: status(429, "", "", `{"retry_after": "5"}`), asked: 5 * time.Second},
		{name: "after 429 with a time that makes no sense", first: status(429, "Retry-After", "soon", "")},
		{name: "after an answer that was cut off", first: cutOff},
		{name: "after a connection that was dropped", first: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			caller, waits := serve(t, sequence(tc.first, fine))
			answer, err := caller.Do(t.Context(), http.MethodGet, "/", nil)
			require.NoError(t, err)
			assert.Equal(t, "fine", string(answer))
			require.Len(t, waits.took, 1)
			if tc.asked != 0 {
				assert.Equal(t, tc.asked, waits.took[0])
			} else {
				assert.Greater(t, waits.took[0], time.Duration(0))
				assert.LessOrEqual(t, waits.took[0], backoffBase+time.Millisecond)
			}
		})
	}
}

func TestCallDoesNotRepeatAnAnswer(t *testing.T) {
	t.Parallel()
	for _, code := range []int{200, 204, 302, 400, 401, 403, 404, 409, 422} {
		caller, waits := serve(t, status(code, "Retry-After", "1", ""))
		_, err := caller.Do(t.Context(), http.MethodGet, "/", nil)
		if code < 300 {
			require.NoError(t, err)
		} else {
			assert.Equal(t, code, faultOf(t, err).Status)
		}
		assert.Empty(t, waits.took, "status %d", code)
	}
}

func TestCallRepeatsTheBody(t *testing.T) {
	t.Parallel()
	var bodies []string
	caller, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		if len(bodies) < 3 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	_, err := caller.Do(t.Context(), http.MethodPut, "/", map[string]int{"n": 1})
	require.NoError(t, err)
	assert.Equal(t, []string{`{"n":1}`, `{"n":1}`, `{"n":1}`}, bodies)
}

func TestCallGivesUp(t *testing.T) {
	t.Parallel()
	caller, waits := serve(t, status(503, "", "", "down"))
	var told []string
	caller.Waiting = func(wait time.Duration, why string) { told = append(told, fmt.Sprint(wait, why)) }
	_, err := caller.Do(t.Context(), http.MethodGet, "/", nil)
	assert.Equal(t, 503, faultOf(t, err).Status, "the last answer is an answer")
	assert.Less(t, len(waits.took), maxAttempts)
	assert.Less(t, waits.total(), backoffTotal+backoffCap)
	assert.Len(t, told, len(waits.took))
	assert.Contains(t, told[0], "the service answered 503")

	caller, waits = serve(t, status(429, "Retry-After", "80", ""))
	_, err = caller.Do(t.Context(), http.MethodGet, "/", nil)
	assert.Equal(t, 429, faultOf(t, err).Status)
	assert.Len(t, waits.took, 2, "once more than ninety seconds were waited, it is enough")
}

// silence gives no answer before the request's time is up.
type silence struct{ asked int }

func (s *silence) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked++
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestTimeThatAttemptsTakeCountsAgainstTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var dead silence
		var waited time.Duration
		caller := Caller{
			Party: "the service", BaseURL: "https://x.example", HTTP: &http.Client{Transport: &dead},
			Waiting: func(wait time.Duration, why string) {
				assert.Equal(t, "the service gives no answer: no full answer within 30s", why)
				waited += wait
			},
		}
		began := time.Now()
		_, err := caller.Do(t.Context(), http.MethodGet, "/", nil)
		require.EqualError(t, err, "the service gives no answer: no full answer within 30s")
		assert.Equal(t, 3, dead.asked, "three times thirty seconds")
		assert.Equal(t, 90*time.Second+waited, time.Since(began))
	})
}

func TestBackoffGrowsUpToItsCap(t *testing.T) {
	t.Parallel()
	for attempts, top := range []time.Duration{1, 2, 4, 8, 15, 15, 15, 15, 15} {
		longest := time.Duration(0)
		for range 400 {
			longest = max(longest, backoff(attempts+1))
		}
		assert.LessOrEqual(t, longest, top*time.Second+time.Millisecond)
		assert.Greater(t, longest, top*time.Second/2, "after %d attempts", attempts)
	}
}

func TestCallEndsWithItsContext(t *testing.T) {
	t.Parallel()
	caller, waits := serve(t, status(503, "Retry-After", "60", ""))
	ctx, cancel := context.WithCancel(t.Context())
	caller.Sleep = func(context.Context, time.Duration) error { cancel(); return ctx.Err() }
	_, err := caller.Do(ctx, http.MethodGet, "/", nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = caller.Do(ctx, http.MethodGet, "/", nil)
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, waits.took)

	caller.Sleep = nil
	short, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	start := time.Now()
	_, err = caller.Do(short, http.MethodGet, "/", nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(start), 30*time.Second)
}

func TestAFailedAttemptIsWorthSoManyMore(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		err  error
		want int
	}{
		{"a name that does not exist stays so", &net.DNSError{IsNotFound: true}, 1},
		{"a name server that is slow may recover", &net.OpError{Op: "dial", Err: &net.DNSError{IsTimeout: true}}, maxAttempts},
		{"a name server that refuses may recover, soon or late", &net.OpError{Op: "dial", Err: &net.DNSError{IsTemporary: true}}, maxDials},
		{"a broken connection may work again", io.ErrUnexpectedEOF, maxAttempts},
		{"a reset connection may work again", &net.OpError{Op: "read", Err: syscall.ECONNRESET}, maxAttempts},
		{"nobody listens, which is seen soon", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, maxDials},
		{"there is no way to the host, which is seen soon", &net.OpError{Op: "dial", Err: syscall.ENETUNREACH}, maxDials},
		{"a host that is slow to answer may recover", &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, maxAttempts},
		{"what is marked final is final", fmt.Errorf("x: %w", permanent{errors.New("y")}), 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, worth(tc.err))
		})
	}
}

func TestARefusedConnectionCostsSeconds(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	waits := &pauses{}
	caller := Caller{Party: "the service", BaseURL: "http://" + address, Sleep: waits.sleep}
	_, err = caller.Do(t.Context(), http.MethodGet, "/", nil)
	require.ErrorContains(t, err, "the service gives no answer: connection refused")
	assert.Len(t, waits.took, 2)
	assert.LessOrEqual(t, waits.total(), 4*time.Second)
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name, header, body string
		want               time.Duration
	}{
		{"seconds", "12", "", 12 * time.Second},
		{"seconds with blanks", " 12 ", "", 12 * time.Second},
		{"a date ahead", now.Add(90 * time.Second).Format(http.TimeFormat), "", 90 * time.Second},
		{"a date gone by is now", now.Add(-time.Hour).Format(http.TimeFormat), "", 0},
		{"a negative number is nothing", "-5", "", 0},
		{"no number is nothing", "NaN", "", 0},
		{"an absurd number is a day", "1e300", "", 24 * time.Hour},
		{"infinity is a day", "Inf", "", 24 * time.Hour},
		{"the header goes before the body", "1", `{"retry_after":9}`, time.Second},
		{"a fraction in the body", "", `{"retry_after":1.5}`, 1500 * time.Millisecond},
		{"null in the body", "", `{"retry_after":null}`, 0},
		{"a list in the body", "", `[1]`, 0},
		{"neither", "", "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := retryAfter(reply{header: http.Header{"Retry-After": {tc.header}}, body: []byte(tc.body)}, now)
			assert.Equal(t, tc.want, got)
		})
	}
}

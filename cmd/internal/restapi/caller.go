// Package restapi asks a service over HTTP: bounded in time and size, patient with a busy server, silent about its
// secrets, and never taking a credential to another host.
package restapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"garnix2gha/cmd/internal/secretsource"
)

const (
	maxBody        = 8 << 20  // bytes of a good answer
	maxErrorBody   = 64 << 10 // bytes read of a page that only says what is wrong
	maxRedirects   = 10
	attemptTimeout = 30 * time.Second // from connecting to the last byte
)

// Caller is one service and how to call it. The zero value of every field but Party and BaseURL works.
type Caller struct {
	Party string             // names the service in messages
	Token secretsource.Value // is sent as "Authorization: Bearer" to BaseURL's host, if there is one
	Limit int64              // bytes that a good answer may have; 0 is 8 MiB
	HTTP  *http.Client       // gives the transport; its redirects follow this package's rules. Nil is net/http's own.
	// BaseURL is an https address; a slash at its end counts for nothing. Plain http is refused except on the loopback
	// interface, unless the caller Roams.
	BaseURL string
	// Credentials are for the hosts they name and no others; the first that fits a host counts, after Token.
	Credentials []Credential
	// Roams is for what everyone may read, such as a binary cache: plain http is fine, and so are redirects to other hosts.
	Roams bool
	// Sleep waits, or returns early with the context's error; nil really sleeps.
	Sleep func(context.Context, time.Duration) error
	// Waiting, if set, is told before each wait how long it will be and why; several goroutines may do so at once.
	Waiting func(wait time.Duration, why string)
}

// reply is what the server answered, whatever its status. Unless that is a success, the body may be cut off.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) ok() bool { return r.status >= 200 && r.status <= 299 }

// Do sends a request, body (if not nil) as JSON, repeats it while the server is busy, and gives the body of a success.
// An error is the context's own, a mistake in the Caller's fields, or a *Fault.
func (c Caller) Do(ctx context.Context, method, path string, body any) ([]byte, error) {
	var payload []byte
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode request to %s: %w", c.Party, err)
		}
		payload = encoded
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	client := c.client()
	var spent time.Duration // on failed attempts and on waiting
	for attempt := 1; ; attempt++ {
		began := time.Now()
		got, err := c.attempt(ctx, client, method, path, payload)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("call %s: %w", c.Party, ctx.Err())
		}
		most, wait, why := c.verdict(got, err)
		spent += time.Since(began)
		switch over := attempt >= most || spent >= backoffTotal; {
		case over && err != nil:
			return nil, c.silence(err)
		case over && !got.ok():
			return nil, c.fault(got.status, got.status < 400, c.Message(got.body))
		case over:
			return got.body, nil
		}
		wait = cmp.Or(wait, backoff(attempt))
		spent += wait
		if err := c.Wait(ctx, wait, why); err != nil {
			return nil, fmt.Errorf("call %s: %w", c.Party, err)
		}
	}
}

// verdict says how many attempts the outcome of one is worth, and why; a wait of zero leaves it to the backoff.
func (c Caller) verdict(got reply, err error) (most int, wait time.Duration, why string) {
	switch {
	case err != nil:
		return worth(err), 0, c.silence(err).Error()
	case !busy(got.status):
		return 1, 0, ""
	}
	return maxAttempts, min(retryAfter(got, time.Now()), maxRetryAfter), fmt.Sprintf("%s answered %d", c.Party, got.status)
}

// attempt is one exchange, bounded in time.
func (c Caller) attempt(ctx context.Context, client *http.Client, method, path string, payload []byte) (got reply, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, attemptTimeout, fmt.Errorf("no full answer within %s", attemptTimeout))
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
	}()
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.BaseURL, "/")+path, bytes.NewReader(payload))
	if err != nil {
		return reply{}, permanent{err}
	}
	if !c.Roams { // a narinfo can be had as JSON too, and nix asks for none
		request.Header.Set("Accept", "application/json")
	}
	request.Header.Set("User-Agent", "garnix2gha")
	if payload != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	got = reply{status: response.StatusCode, header: response.Header}
	limit := int64(maxErrorBody)
	if got.ok() {
		limit = cmp.Or(c.Limit, maxBody)
	}
	got.body, err = io.ReadAll(io.LimitReader(response.Body, limit+1))
	encoding := response.Header.Get("Content-Encoding")
	switch {
	case !got.ok():
		return got, nil // the status has said it all, however the page ends
	case err != nil:
		return reply{}, errors.New("the answer was cut off")
	case int64(len(got.body)) > limit:
		return reply{}, permanent{fmt.Errorf("the answer is longer than %d KiB", limit>>10)}
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		return reply{}, permanent{errors.New("unknown content encoding")} // the transport undoes what it asked for
	}
	return got, nil
}

// Check refuses an address or a credential that would show a secret, or could not be sent. The error repeats neither.
func (c Caller) Check() error {
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Hostname() == "" || base.User != nil || base.RawQuery != "" || (base.Scheme != "https" && base.Scheme != "http") {
		return fmt.Errorf("address of %s: want https://host/path", c.Party)
	}
	if !c.Roams && !Sealed(base) {
		return fmt.Errorf("address of %s: plain http would show the token to everyone on the way, want https", c.Party)
	}
	if strings.ContainsFunc(c.Token.Reveal(), func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return fmt.Errorf("token for %s: it holds spaces, line breaks or characters that no token has", c.Party)
	}
	for _, credential := range c.Credentials {
		if err := credential.check(); err != nil {
			return err
		}
	}
	return nil
}

// Sealed reports whether nobody on the way to an address can read along: it is https, or on the loopback interface.
func Sealed(address *url.URL) bool {
	host := address.Hostname()
	return address.Scheme == "https" || host == "localhost" || net.ParseIP(host).IsLoopback()
}

// client lays the credentials and the redirect policy over the given transport.
func (c Caller) client() *http.Client {
	client := *cmp.Or(c.HTTP, &http.Client{})
	client.Transport = authorizer{caller: c, base: cmp.Or(client.Transport, http.DefaultTransport)}
	client.CheckRedirect = c.follow
	return &client
}

// follow is the redirect policy. Unless the caller Roams a redirect stays on the server and keeps the method: elsewhere
// the token, or what a request means, would be lost.
func (c Caller) follow(next *http.Request, via []*http.Request) error {
	first := via[0]
	stays := next.URL.Scheme == first.URL.Scheme && next.URL.Host == first.URL.Host && next.Method == first.Method
	switch {
	case len(via) >= maxRedirects:
		return permanent{fmt.Errorf("more than %d redirects", maxRedirects)}
	case next.URL.Scheme != "http" && next.URL.Scheme != "https":
		return permanent{errors.New("a redirect to something other than http or https")}
	case !c.Roams && !stays:
		return permanent{fmt.Errorf("it redirects to %s, use the new name or address", next.URL.Host)}
	}
	return nil
}

// The policy of Cachix's own client: full jitter from one second up to fifteen, ninety seconds in all, failed attempts
// among them, and a server that names a time is believed up to two minutes. Source: cachix/cachix, Cachix.Client.Retry.
const (
	backoffBase   = time.Second
	backoffCap    = 15 * time.Second
	backoffTotal  = 90 * time.Second
	maxAttempts   = 10
	maxDials      = 3 // attempts where the connection is refused or there is no way to the host: three seconds of waiting
	maxRetryAfter = 120 * time.Second
)

// busy reports whether a status means that asking again may help.
func busy(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500
}

// retryAfter reads how long the server asks to wait, from the header (seconds or an HTTP date) or from retry_after in a
// JSON body; 0 is no word about it. It is never negative.
func retryAfter(got reply, now time.Time) time.Duration {
	header := strings.TrimSpace(got.header.Get("Retry-After"))
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	var body struct {
		RetryAfter json.RawMessage `json:"retry_after"`
	}
	_ = json.Unmarshal(got.body, &body) // most answers are no JSON
	return cmp.Or(seconds(header), seconds(string(bytes.Trim(body.RetryAfter, `"`))))
}

// seconds reads a number of seconds, 0 if it is none; a fraction is allowed and absurd numbers are cut to a day.
func seconds(text string) time.Duration {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || !(number >= 0) {
		return 0
	}
	return time.Duration(min(number, 86400) * float64(time.Second))
}

// backoff is the wait after so many attempts, never zero.
func backoff(attempts int) time.Duration {
	return rand.N(min(backoffCap, backoffBase<<(attempts-1))) + time.Millisecond
}

// Wait tells Waiting why, and waits; it returns early with the context's error.
func (c Caller) Wait(ctx context.Context, wait time.Duration, why string) error {
	if c.Waiting != nil {
		c.Waiting(wait, why)
	}
	if c.Sleep != nil {
		return c.Sleep(ctx, wait)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

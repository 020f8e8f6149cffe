// Package restapi calls a JSON API over HTTP: bounded in time and size, patient with a busy server, and silent about its
// token.
package restapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"garnix2gha/cmd/internal/secretsource"
)

const (
	maxBody        = 8 << 20
	attemptTimeout = 30 * time.Second
)

// Caller is one API and how to call it. The zero value of every field but Party and BaseURL works.
type Caller struct {
	// Party names the service in messages.
	Party string
	// BaseURL is an https address without a trailing slash; plain http is refused except on the loopback interface.
	BaseURL string
	// Token goes into "Authorization: Bearer"; without one the header is left out.
	Token secretsource.Value
	// Header is sent with every request.
	Header http.Header
	// HTTP is used with its redirects confined; nil is a client that gives each attempt 30 seconds.
	HTTP *http.Client
	// Patience decides about a reply; nil is Busy.
	Patience Patience
	// Sleep waits, or returns early with the context's error; nil really sleeps.
	Sleep func(context.Context, time.Duration) error
	// Waiting, if set, is told before each wait how long it will be and why.
	Waiting func(wait time.Duration, why string)
}

// Reply is what the server answered, whatever its status.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Call sends a request, body (if not nil) as JSON, and repeats it as its Patience says. It returns an error only where no
// answer was had: a busy server's last reply is a Reply. Errors are clean of the token and fit for a terminal.
func (c Caller) Call(ctx context.Context, method, path string, body any) (Reply, error) {
	var payload []byte
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return Reply{}, fmt.Errorf("encode request to %s: %w", c.Party, err)
		}
		payload = encoded
	}
	if err := c.check(); err != nil {
		return Reply{}, err
	}
	client := c.client()
	var spent budget
	for {
		reply, err := c.attempt(ctx, client, method, path, payload)
		if ctx.Err() != nil {
			return Reply{}, fmt.Errorf("call %s: %w", c.Party, ctx.Err())
		}
		wait, why, again := c.verdict(reply, err)
		if again {
			wait, again = spent.take(wait)
		}
		if !again {
			if err != nil {
				return Reply{}, fmt.Errorf("call %s: %s", c.Party, c.Clean(reason(err)))
			}
			return reply, nil
		}
		if err := c.Wait(ctx, wait, why); err != nil {
			return Reply{}, fmt.Errorf("call %s: %w", c.Party, err)
		}
	}
}

// verdict says whether to try again; a wait of zero leaves it to the backoff.
func (c Caller) verdict(reply Reply, err error) (wait time.Duration, why string, again bool) {
	if err != nil {
		return 0, "no answer from " + c.Party, passing(err)
	}
	patience := c.Patience
	if patience == nil {
		patience = Busy
	}
	wait, again = patience(reply, time.Now())
	return wait, fmt.Sprintf("%s answered %d", c.Party, reply.Status), again
}

var errTooLong = fmt.Errorf("the answer is longer than %d MiB", maxBody>>20)

func (c Caller) attempt(ctx context.Context, client *http.Client, method, path string, payload []byte) (Reply, error) {
	var body io.Reader
	if payload != nil {
		body = bytes.NewReader(payload)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.BaseURL, "/")+path, body)
	if err != nil {
		return Reply{}, permanent{err}
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "garnix2gha")
	for name, values := range c.Header {
		request.Header[name] = values
	}
	if payload != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if !c.Token.Empty() {
		request.Header.Set("Authorization", "Bearer "+c.Token.Reveal())
	}
	response, err := client.Do(request)
	if err != nil {
		return Reply{}, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return Reply{}, fmt.Errorf("the answer was cut off: %w", err)
	case len(data) > maxBody:
		return Reply{}, permanent{errTooLong}
	}
	return Reply{Status: response.StatusCode, Header: response.Header, Body: data}, nil
}

// check refuses what would send the token in the clear, or could not be sent at all.
func (c Caller) check() error {
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || (base.Scheme != "https" && base.Scheme != "http") {
		return fmt.Errorf("address of %s: want https://host/path", c.Party)
	}
	if ip := net.ParseIP(base.Hostname()); base.Scheme == "http" && base.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("address of %s: plain http would show the token to everyone on the way, want https", c.Party)
	}
	if strings.ContainsFunc(c.Token.Reveal(), func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return fmt.Errorf("token for %s: it holds spaces, line breaks or characters that no token has", c.Party)
	}
	return nil
}

// client confines redirects to the same server and method: elsewhere the token, or what a request means, would be lost.
func (c Caller) client() *http.Client {
	client := http.Client{Timeout: attemptTimeout}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		first := via[0]
		if len(via) > 5 || next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host || next.Method != first.Method {
			return permanent{fmt.Errorf("it redirects to %s, use the new name or address", next.URL.Host)}
		}
		return nil
	}
	return &client
}

// permanent marks an error that a second attempt would only repeat.
type permanent struct{ error }

// passing reports whether a failed attempt may succeed when repeated.
func passing(err error) bool {
	var final permanent
	var certificate *tls.CertificateVerificationError
	var name *net.DNSError
	switch {
	case errors.As(err, &final), errors.As(err, &certificate):
		return false
	case errors.As(err, &name):
		return !name.IsNotFound
	}
	return true
}

// reason is an error's text without the address, which says nothing that the caller does not know.
func reason(err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, io.EOF) {
		return "the connection was closed without an answer"
	}
	return err.Error()
}

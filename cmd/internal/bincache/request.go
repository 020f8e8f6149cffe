package bincache

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// UserAgent is how the program introduces itself.
const UserAgent = "garnix2gha"

const (
	maxErrorBody = 64 << 10 // bytes read of a page that only says what is wrong
	maxRedirects = 10
)

var (
	errTooLarge  = errors.New("the body is too large")
	errRedirects = fmt.Errorf("more than %d redirects", maxRedirects)
	errScheme    = errors.New("a redirect to something other than http or https")
	errEncoding  = errors.New("unknown content encoding")
)

type request struct {
	method string
	to     endpoint
	path   string // below the endpoint, without a slash in front
	body   []byte // JSON; nil for none
	limit  int64  // bytes of a good answer
}

// answer is a response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// fetch sends a request until it gets a final answer and returns the body of a 200. The error is an *Error, or ctx's
// own once ctx has ended.
func (c *Client) fetch(ctx context.Context, req request) ([]byte, error) {
	spent := time.Duration(0)
	for attempt := 0; ; attempt++ {
		began := time.Now()
		got, err := c.once(ctx, req)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		fault := c.judge(req.to, got, err)
		if fault == nil {
			return got.body, nil
		}
		spent += time.Since(began)
		wait := c.retry.delay(attempt)
		if fault.final || attempt+1 == maxAttempts || spent+wait > c.retry.Budget {
			return nil, fault
		}
		if asked := retryAfter(got.header, got.body, time.Now()); asked > 0 {
			wait = asked
		}
		c.retry.Notify(fault.Error(), wait)
		if err := c.retry.Sleep(ctx, wait); err != nil {
			return nil, err
		}
		spent += wait
	}
}

// once makes one attempt. A body over its limit is errTooLarge if the status is 200, and cut off otherwise.
func (c *Client) once(ctx context.Context, req request) (answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("no full answer within %s", c.timeout))
	defer cancel()
	got, err := c.exchange(ctx, req)
	if err != nil && ctx.Err() != nil {
		return got, context.Cause(ctx)
	}
	return got, err
}

func (c *Client) exchange(ctx context.Context, req request) (answer, error) {
	hr, err := http.NewRequestWithContext(ctx, req.method, req.to.base+"/"+req.path, bytes.NewReader(req.body))
	if err != nil {
		return answer{}, err
	}
	hr.Header.Set("User-Agent", UserAgent)
	if req.body != nil {
		hr.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(hr)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	got := answer{status: resp.StatusCode, header: resp.Header}
	limit := req.limit
	if got.status != http.StatusOK {
		limit = maxErrorBody
	}
	body, err := decoded(resp)
	if err == nil {
		got.body, err = io.ReadAll(io.LimitReader(body, limit+1))
	}
	switch {
	case got.status != http.StatusOK:
		// The status has said it all; a page that cannot be read to its end does not change that.
		return got, nil
	case err == nil && int64(len(got.body)) > limit:
		return answer{status: got.status}, errTooLarge
	}
	return got, err
}

// decoded undoes a content encoding that the transport left in place, as some object stores send one unasked.
func decoded(resp *http.Response) (io.Reader, error) {
	if resp.Request.Method == http.MethodHead {
		return resp.Body, nil
	}
	switch strings.ToLower(resp.Header.Get("Content-Encoding")) {
	case "", "identity":
		return resp.Body, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(resp.Body)
	}
	return nil, errEncoding
}

// judge says what is wrong with an answer; nil means a 200 whose body is complete.
func (c *Client) judge(to endpoint, got answer, err error) *Error {
	fault := &Error{Host: to.host, Status: got.status, Authorized: to.authorized}
	if err != nil {
		fault.Fault = Unavailable
		fault.Detail = oneLine(c.auth.scrub(rootCause(err)))
		switch {
		case errors.Is(err, errTooLarge), errors.Is(err, errEncoding), errors.Is(err, errRedirects), errors.Is(err, errScheme):
			fault.Fault, fault.final = Garbled, true
		case hopeless(err):
			fault.final = true
		}
		return fault
	}
	switch status := got.status; {
	case status == http.StatusOK:
		return nil
	case status == http.StatusNotFound, status == http.StatusGone:
		fault.Fault, fault.final = Absent, true
	case status == http.StatusForbidden:
		fault.Fault, fault.final = Forbidden, true
	case status == http.StatusUnauthorized, status == http.StatusProxyAuthRequired:
		fault.Fault, fault.final = Refused, true
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		fault.Fault = Unavailable
	default:
		fault.Fault, fault.final = Garbled, true
	}
	fault.Detail = oneLine(c.auth.scrub(plainText(got.body)))
	return fault
}

// rootCause leaves out the method and URL that net/http puts in front: after a redirect the URL may carry a signature.
func rootCause(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return err.Error()
}

// hopeless tells errors that asking again cannot cure: an unknown name, a certificate that does not hold, and a server
// that does not speak TLS.
func hopeless(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok || errors.Is(err, http.ErrSchemeMismatch)
}

// follow is the redirect policy.
func follow(next *http.Request, via []*http.Request) error {
	switch {
	case len(via) >= maxRedirects:
		return errRedirects
	case next.URL.Scheme != "http" && next.URL.Scheme != "https":
		return errScheme
	}
	return nil
}

// The retry policy.

package restapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

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

package bincache

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Retry says how long to go on asking a cache that does not answer properly. Zero fields mean the values that the
// Cachix client uses: delays are drawn between 0 and Base, doubled each time up to Cap, until the delays and the failed
// attempts have taken Budget.
type Retry struct {
	Base   time.Duration // 1 s
	Cap    time.Duration // 15 s
	Budget time.Duration // 90 s
	// Sleep waits for d or until ctx ends, and then returns ctx's error. Nil means a real clock.
	Sleep func(ctx context.Context, d time.Duration) error
	// Notify is told of each wait before it begins, with the reason; it may be called from several goroutines at once.
	Notify func(cause string, d time.Duration)
}

const (
	maxAttempts   = 24                // so that zero delays end too
	maxRetryAfter = 120 * time.Second // as in the Cachix client
)

func (r Retry) withDefaults() Retry {
	if r.Base <= 0 {
		r.Base = time.Second
	}
	if r.Cap <= 0 {
		r.Cap = 15 * time.Second
	}
	if r.Budget <= 0 {
		r.Budget = 90 * time.Second
	}
	if r.Sleep == nil {
		r.Sleep = sleep
	}
	if r.Notify == nil {
		r.Notify = func(string, time.Duration) {}
	}
	return r
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// delay draws the wait after the given attempt, counted from 0.
func (r Retry) delay(attempt int) time.Duration {
	top := r.Cap
	if attempt < 30 && r.Base < r.Cap>>attempt {
		top = r.Base << attempt
	}
	return rand.N(top + 1)
}

// retryAfter returns how long the server asks us to wait: the header in seconds or as a date, or the field retry_after
// that Cloudflare puts into a JSON body. 0 means that it does not say.
func retryAfter(header http.Header, body []byte, now time.Time) time.Duration {
	wait := time.Duration(0)
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		wait = clampSeconds(seconds)
	} else if date, err := http.ParseTime(value); err == nil {
		wait = date.Sub(now)
	} else if strings.Contains(header.Get("Content-Type"), "json") {
		var problem struct {
			RetryAfter float64 `json:"retry_after"`
		}
		if json.Unmarshal(body, &problem) == nil {
			wait = clampSeconds(problem.RetryAfter)
		}
	}
	return min(max(wait, 0), maxRetryAfter)
}

// clampSeconds converts without overflow; not-a-number becomes 0.
func clampSeconds(seconds float64) time.Duration {
	if !(seconds > 0) {
		return 0
	}
	return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
}

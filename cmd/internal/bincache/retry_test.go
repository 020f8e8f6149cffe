package bincache

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRetryAfterIsHonouredAndBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name, header, contentType, body string
		want                            time.Duration
	}{
		{"seconds", "7", "", "", 7 * time.Second},
		{"a date", now.Add(9 * time.Second).Format(http.TimeFormat), "", "", 9 * time.Second},
		{"a date gone by", now.Add(-9 * time.Second).Format(http.TimeFormat), "", "", 0},
		{"too many seconds", "86400", "", "", 120 * time.Second},
		{"more seconds than fit", "1e300", "", "", 120 * time.Second},
		{"a date far off", now.AddDate(200, 0, 0).Format(http.TimeFormat), "", "", 120 * time.Second},
		{"negative seconds", "-5", "", "", 0},
		{"no number", "NaN", "", "", 0},
		{"nonsense", "soon", "", "", 0},
		{"nothing", "", "", "", 0},
		{"a field of a problem document", "", "application/problem+json", `{"retry_after": 11.5}`, 11500 * time.Millisecond},
		{"the header before the field", "3", "application/json", `{"retry_after": 11}`, 3 * time.Second},
		{"a field of the wrong kind", "", "application/json", `{"retry_after": "x"}`, 0},
		{"a field in a page that is not JSON", "", "text/plain", `{"retry_after": 11}`, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"Retry-After": {tc.header}, "Content-Type": {tc.contentType}}
			assert.Equal(t, tc.want, retryAfter(header, []byte(tc.body), now))
		})
	}
}

func TestServerIsGivenTheTimeItAsksFor(t *testing.T) {
	t.Parallel()
	path := pathNamed("hello")
	cache, pause := newCache(t), &clock{}
	cache.on(path.Hash()+".narinfo", inTurn(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "100")
		w.WriteHeader(http.StatusTooManyRequests)
	}, status(http.StatusOK, narInfo(path, nil))))
	var told []string
	retry := pause.retry()
	retry.Notify = func(cause string, d time.Duration) { told = append(told, cause+" "+d.String()) }
	got := verdict(t, newClient(t, Config{URL: cache.URL, Retry: retry}), path)
	assert.Equal(t, InCache, got.Verdict)
	assert.Equal(t, []time.Duration{100 * time.Second}, pause.waits)
	assert.Equal(t, []string{cache.host() + " gives no answer (429) 1m40s"}, told)
}

func TestDelaysGrowUpToTheCap(t *testing.T) {
	t.Parallel()
	retry := Retry{}.withDefaults()
	for attempt, top := range []time.Duration{1, 2, 4, 8, 15, 15, 15} {
		longest := time.Duration(0)
		for range 400 {
			d := retry.delay(attempt)
			require.GreaterOrEqual(t, d, time.Duration(0))
			require.LessOrEqual(t, d, top*time.Second)
			longest = max(longest, d)
		}
		assert.Greater(t, longest, top*time.Second/2, "attempt %d", attempt)
	}
	assert.LessOrEqual(t, retry.delay(1000), 15*time.Second)
}

package main

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// screen is written by one goroutine and read by another.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Split(strings.TrimPrefix(s.text.String(), "\r\x1b[K"), "\r\x1b[K")
}

func TestStatusLineHasAClockForWhatTakesLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out screen
		drawn := func() []string {
			synctest.Wait()
			return out.lines()
		}
		last := func() string { lines := drawn(); return lines[len(lines)-1] }
		show, done := statusLine(&out)
		time.Sleep(time.Second)
		assert.Equal(t, []string{""}, drawn(), "there is nothing to say yet")

		show("listing the flake\n")
		time.Sleep(time.Second)
		assert.Equal(t, "listing the flake …", last())
		time.Sleep(74 * time.Second)
		assert.Equal(t, "listing the flake … 1m15s", last())

		before := len(drawn())
		for range 100_000 {
			show("verified 1 paths")
			show("verified 2 paths")
		}
		time.Sleep(time.Second)
		assert.Equal(t, "verified 2 paths …", last())
		assert.Less(t, len(drawn())-before, 10, "a line for each path would be slower than the paths")

		done()
		done()
		assert.Equal(t, "", last(), "it is gone")
		show("too late")
		time.Sleep(time.Second)
		assert.Equal(t, "", last())
	})
}

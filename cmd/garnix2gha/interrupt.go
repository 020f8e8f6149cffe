// What an interrupt ends: reading at once, other work within moments.

package main

import (
	"context"
	"io"
	"time"
)

// grace is what work that cannot look at its context, such as an overlay without end, has left to end in.
const grace = 5 * time.Second

// bounded does work, and once the context has ended waits for it no longer than it is patient; the work then goes on
// alone, as it may in a process that ends.
func bounded[T any](ctx context.Context, patience time.Duration, work func() T) (result T, done bool) {
	results := make(chan T, 1)
	go func() { results <- work() }()
	select {
	case result = <-results:
		return result, true
	case <-ctx.Done():
	}
	select {
	case result = <-results:
		return result, true
	case <-time.After(patience):
		return result, false
	}
}

// stoppable reads until its context ends.
type stoppable struct {
	ctx context.Context
	io.Reader
}

func (s stoppable) Read(p []byte) (int, error) {
	own := make([]byte, len(p))
	var failed error
	n, done := bounded(s.ctx, 0, func() (n int) {
		n, failed = s.Reader.Read(own)
		return n
	})
	if !done {
		return 0, s.ctx.Err()
	}
	return copy(p, own[:n]), failed
}

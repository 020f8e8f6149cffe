// What an interrupt ends: reading at once, other work within moments.

package main

import (
	"context"
	"io"
	"time"
)

// grace is what work that cannot look at its context, such as an overlay without end, has left to end in.
const grace = 5 * time.Second

// bounded does work, and once the context has ended waits for it no longer than it is patient. Work that is not done then
// goes on alone, as it may in a process that ends, and what it sets is not to be looked at.
func bounded(ctx context.Context, patience time.Duration, work func()) (done bool) {
	ended := make(chan struct{})
	go func() {
		work()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
	}
	select {
	case <-ended:
		return true
	case <-time.After(patience):
		return false
	}
}

// stoppable reads until its context ends.
type stoppable struct {
	ctx context.Context
	io.Reader
}

func (s stoppable) Read(p []byte) (int, error) {
	own := make([]byte, len(p))
	var n int
	var err error
	if !bounded(s.ctx, 0, func() { n, err = s.Reader.Read(own) }) {
		return 0, s.ctx.Err()
	}
	return copy(p, own[:n]), err
}

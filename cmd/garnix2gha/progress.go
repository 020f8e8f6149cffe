// What goes on, on a terminal.

package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// progress shows on a terminal, and only there, what is being done and for how long. It returns what changes that, nil
// without a terminal, and what removes it.
func (o *options) progress(what string) (show func(string), done func()) {
	if !o.terminal(o.stderr) || o.getenv("TERM") == "dumb" {
		return nil, func() {}
	}
	show, done = statusLine(o.stderr)
	show(what)
	return show, done
}

// statusLine keeps a line of w up to date, some times a second and not once for each of a hundred thousand paths. What
// stays the same for two seconds gets a clock.
func statusLine(w io.Writer) (show func(string), done func()) {
	const clear = "\r\x1b[K"
	var mu sync.Mutex
	var text string
	var since time.Time
	over := make(chan struct{})
	var drawing sync.WaitGroup
	drawing.Go(func() {
		for {
			select {
			case <-over:
				fmt.Fprint(w, clear)
				return
			case <-time.After(200 * time.Millisecond):
			}
			mu.Lock()
			line := text + " …"
			if took := time.Since(since).Truncate(time.Second); took >= 2*time.Second {
				line += " " + took.String()
			}
			if text != "" {
				fmt.Fprint(w, clear, line)
			}
			mu.Unlock()
		}
	})
	show = func(what string) {
		mu.Lock()
		defer mu.Unlock()
		if what = strings.TrimSpace(what); what != text {
			text, since = what, time.Now()
		}
	}
	return show, sync.OnceFunc(func() {
		close(over)
		drawing.Wait()
	})
}

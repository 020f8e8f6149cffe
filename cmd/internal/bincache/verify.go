// The verification of many paths, and the walk through what they refer to.

package bincache

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Verdict is the answer to "is this store path in the cache?".
type Verdict string

// The verdicts. Unknown is never a softer Missing: it means that nobody could be asked.
const (
	InCache  Verdict = "in-cache" // the cache serves this path, and Nix would take it
	Upstream Verdict = "upstream" // the cache does not, an upstream does
	Missing  Verdict = "missing"  // neither serves it, or not so that Nix would take it
	Unknown  Verdict = "unknown"  // not established
)

// Result is the verdict on one path. Cause is a sentence and Next a hint, which is empty if nothing needs doing; both
// are fit to print. Path is repeated as it was given and may hold anything if the verdict is Unknown.
type Result struct {
	Path    string  `json:"path,omitempty"`
	From    string  `json:"from,omitempty"` // the path whose References led here; empty for one that was asked about
	Verdict Verdict `json:"verdict"`
	Cause   string  `json:"cause"`
	Next    string  `json:"next"`
	// Unasked: a cache as a whole is of no use, so it was not asked about this path. Cause is the same for all such paths.
	Unasked bool `json:"-"`

	refs []StorePath // of a path in the cache
}

// Verify proves over HTTP, and not through Nix with its memory of misses, what the cache serves. It draws paths and
// calls each, once per path, in no particular order and never twice at a time, and keeps neither, so that memory
// stays flat. With closure it also checks what the paths in the cache refer to, and so on, each path once; what an
// upstream serves is not followed, since its closure is the upstream's business. nix-cache-info comes first: a cache
// that has none, or is for another store, makes every path Unknown. A cache that stops answering is given up after a
// few paths and not after all. The error is ctx's own, or that a closure has more than a million paths.
func (c *Client) Verify(ctx context.Context, paths iter.Seq[string], closure bool, each func(Result)) error {
	var mu sync.Mutex
	var seen known
	if closure {
		seen = known{}
	}
	jobs := func(yield func(job) bool) {
		for path := range paths {
			mu.Lock()
			fresh := seen.fresh(path)
			mu.Unlock()
			if fresh && !yield(job{path: path}) {
				return
			}
		}
	}
	for {
		var further []job
		group, asking := errgroup.WithContext(ctx)
		group.SetLimit(c.requests)
		for j := range jobs {
			if asking.Err() != nil {
				break
			}
			group.Go(func() error {
				got, err := c.check(asking, j)
				if err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				each(got)
				if closure {
					further, err = seen.follow(further, got)
				}
				return err
			})
		}
		err := group.Wait()
		if err = cmp.Or(ctx.Err(), err); err != nil || len(further) == 0 {
			return err
		}
		jobs = slices.Values(further)
	}
}

type job struct{ path, from string }

// check asks the cache and then, for what it lacks, the upstreams in order. The error is ctx's own.
func (c *Client) check(ctx context.Context, j job) (Result, error) {
	path, err := ParseStorePath(j.path)
	if err != nil {
		next := "give a path like " + StoreDir + "/<hash>-<name>"
		if errors.Is(err, errPlaceholder) {
			next = "build it first and verify the path that the build prints"
		}
		return Result{Path: j.path, From: j.from, Verdict: Unknown, Cause: err.Error(), Next: next}, nil
	}
	result, err := c.cache.ask(ctx, path)
	result.Path, result.From = j.path, j.from
	if err != nil || result.Verdict != Missing {
		return result, err
	}
	result.Next = cmp.Or(result.Next, "build it and push it to the cache")
	useless := "" // why upstreams were not asked
	for _, upstream := range c.upstreams {
		other, err := upstream.ask(ctx, path)
		if err != nil {
			return Result{}, err
		}
		result.Cause += "; " + other.Cause
		switch other.Verdict {
		case InCache:
			result.Verdict, result.Next = Upstream, ""
			return result, nil
		case Unknown:
			result.Verdict, result.Next = Unknown, other.Next
		}
		if other.Unasked {
			useless += "; " + other.Cause
		}
	}
	if useless != "" {
		result.Unasked, result.Cause = true, c.cache.caller.Party+" does not have it"+useless
	}
	return result, nil
}

const maxClosure = 1 << 20 // paths, since a cache can make up references without end

// known are the paths that were handed out already; nil remembers none.
type known map[string]bool

func (k known) fresh(path string) bool {
	old := k[path]
	if k != nil {
		k[path] = true
	}
	return !old
}

// follow adds what a path refers to.
func (k known) follow(further []job, of Result) ([]job, error) {
	for _, ref := range of.refs {
		// The clone lets go of the narinfo that the reference is a part of.
		if path := strings.Clone(ref.String()); k.fresh(path) {
			further = append(further, job{path: path, from: of.Path})
		}
	}
	if len(k) > maxClosure {
		return nil, errors.New("the closure is too large to walk")
	}
	return further, nil
}

package bincache

import (
	"crypto/sha256"
	"errors"
	"strings"
)

// maxClosure bounds the walk, since a cache can make up references without end.
const maxClosure = 1 << 20

// ErrClosureTooLarge ends a Verify whose closure has more than a million paths.
var ErrClosureTooLarge = errors.New("the closure is too large to walk")

// frontier holds the paths that were found and not yet handed out: references first, so that it stays small.
type frontier struct {
	next  func() (string, bool)
	stack []job
	seen  map[[20]byte]struct{} // nil: no closure, no memory
}

func (f *frontier) pop() (job, bool) {
	if last := len(f.stack) - 1; last >= 0 {
		top := f.stack[last]
		f.stack = f.stack[:last]
		return top, true
	}
	for {
		path, ok := f.next()
		if !ok || f.fresh(path) {
			return job{path: path}, ok
		}
	}
}

// push adds the references of a path; false means that there are too many.
func (f *frontier) push(o outcome) bool {
	for _, ref := range o.refs {
		// The clone lets go of the narinfo that the reference is a part of.
		if path := strings.Clone(ref.String()); f.fresh(path) {
			f.stack = append(f.stack, job{path: path, from: o.result.Path})
		}
	}
	return len(f.seen) <= maxClosure
}

func (f *frontier) fresh(path string) bool {
	if f.seen == nil {
		return true
	}
	sum := sha256.Sum256([]byte(path))
	key := [20]byte(sum[:])
	if _, known := f.seen[key]; known {
		return false
	}
	f.seen[key] = struct{}{}
	return true
}

package bincache

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClosureIsWalkedOnce(t *testing.T) {
	t.Parallel()
	cache, upstream := newCache(t), newCache(t)
	app, lib, data, libc, deep, lost := pathNamed("app"), pathNamed("lib"), pathNamed("data"), pathNamed("libc"), pathNamed("deep"), pathNamed("lost")
	cache.holds(app, []StorePath{app, lib, data, libc})
	cache.holds(lib, []StorePath{lib, data, libc, lost})
	cache.holds(data, nil)
	upstream.holds(libc, []StorePath{deep})
	client := newClient(t, Config{URL: cache.URL, Upstreams: []string{upstream.URL}})

	var last Tally
	got := verdicts(t, client, VerifyOptions{Closure: true, Progress: func(now Tally) { last = now }}, app.String(), app.String(), lib.String())
	want := map[StorePath]Verdict{app: InCache, lib: InCache, data: InCache, libc: Upstream, lost: Missing}
	require.Len(t, got, len(want))
	for path, verdict := range want {
		assert.Equal(t, verdict, got[path.String()].Verdict)
		assert.LessOrEqual(t, len(cache.asked(path.Hash()+".narinfo")), 1)
	}
	assert.Equal(t, lib.String(), got[lost.String()].From)
	assert.Empty(t, got[app.String()].From)
	assert.Empty(t, upstream.asked(deep.Hash()+".narinfo"), "the closure of an upstream path is not walked")
	assert.Equal(t, Tally{Done: 5, InCache: 3, Upstream: 1, Missing: 1}, last)

	got = verdicts(t, client, VerifyOptions{}, app.String())
	assert.Len(t, got, 1, "without Closure nothing is followed")
}

func TestClosureWithoutEndIsAnError(t *testing.T) {
	t.Parallel()
	todo := frontier{seen: map[[20]byte]struct{}{}}
	refs := make([]StorePath, 1<<16)
	for round := range 17 {
		for i := range refs {
			refs[i] = StorePath{base: fmt.Sprintf("%s-%d-%d", someHash, round, i)}
		}
		enough := todo.push(outcome{refs: refs})
		todo.stack = nil
		assert.Equal(t, round < 16, enough, "after %d paths", len(todo.seen))
	}
}

package bincache

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/restapi"
)

func TestUpstreamsAreAskedForWhatTheCacheLacks(t *testing.T) {
	t.Parallel()
	path := pathNamed("hello")
	narinfo := path.Hash() + ".narinfo"
	serves := func(f *fakeCache) { f.holds(path, nil) }
	lacks := func(*fakeCache) {}
	dead := func(f *fakeCache) { f.on("nix-cache-info", status(http.StatusUnauthorized, "")) }
	broken := func(f *fakeCache) { f.text(narinfo, "?") }
	for _, tc := range []struct {
		name           string
		cache, up, up2 func(*fakeCache)
		want           Verdict
		store          int // which of the three serves it; -1 none
		asked          []int
		unasked        bool
	}{
		{"a path in the cache is not asked for elsewhere", serves, serves, serves, InCache, 0, []int{1, 0, 0}, false},
		{"the first upstream that has it counts", lacks, serves, serves, Upstream, 1, []int{1, 1, 0}, false},
		{"the second upstream is asked too", lacks, lacks, serves, Upstream, 2, []int{1, 1, 1}, false},
		{"nobody has it", lacks, lacks, lacks, Missing, -1, []int{1, 1, 1}, false},
		{"a silent upstream might have it", lacks, dead, lacks, Unknown, -1, []int{1, 0, 1}, true},
		{"a silent upstream does not matter if another has it", lacks, dead, serves, Upstream, 2, []int{1, 0, 1}, false},
		{"a garbled upstream might have it", lacks, lacks, broken, Unknown, -1, []int{1, 1, 1}, false},
		{"a cache that cannot be asked is not made up for by an upstream", dead, serves, serves, Unknown, -1, []int{0, 0, 0}, true},
		{"a path under the wrong name is asked for elsewhere", func(f *fakeCache) {
			f.text(narinfo, narInfo(StorePath{base: path.Hash() + "-other"}, nil))
		}, serves, lacks, Upstream, 1, []int{1, 1, 0}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			caches := []*fakeCache{newCache(t), newCache(t), newCache(t)}
			for i, prepare := range []func(*fakeCache){tc.cache, tc.up, tc.up2} {
				prepare(caches[i])
			}
			client := newClient(t, Config{URL: caches[0].URL, Upstreams: []string{caches[1].URL, caches[2].URL}})
			got := verdict(t, client, path)
			assert.Equal(t, tc.want, got.Verdict, got.Cause)
			assert.Equal(t, tc.unasked, got.Unasked)
			assert.Equal(t, tc.want == InCache || tc.want == Upstream, got.Next == "", got.Next)
			for i, cache := range caches {
				assert.Len(t, cache.asked(narinfo), tc.asked[i], "cache %d", i)
				if tc.asked[i] > 0 && !(got.Unasked && i > 0) {
					assert.Contains(t, got.Cause, cache.host(), "a cause that many paths share names only who gave none")
				}
			}
			for i, cache := range caches {
				assert.Equal(t, i == tc.store, strings.Contains(got.Cause, cache.host()+" serves it"), got.Cause)
			}
		})
	}
}

func TestOnlyTrustedSignaturesCount(t *testing.T) {
	t.Parallel()
	ours, theirs := newSigner("ours-1"), newSigner("theirs-1")
	forged := signer{name: "ours-1", secret: theirs.secret}
	for _, tc := range []struct {
		name    string
		path    StorePath
		signers []signer
		extra   string
		keys    []string
		want    Verdict
		cause   string
	}{
		{"without keys nothing is checked", pathNamed("a"), nil, "", nil, InCache, "serves it"},
		{"signed by the trusted key", pathNamed("a"), []signer{theirs, ours}, "", []string{ours.public()}, InCache, "signed by ours-1"},
		{"signed by one of two trusted keys", pathNamed("a"), []signer{theirs}, "", []string{ours.public(), theirs.public()}, InCache, "signed by theirs-1"},
		{"not signed", pathNamed("a"), nil, "", []string{ours.public()}, Missing, "not signed by a trusted key: it has no signature"},
		{"signed by somebody else", pathNamed("a"), []signer{theirs}, "", []string{ours.public()}, Missing,
			"not signed by a trusted key: it has the signature of theirs-1"},
		{"signed by another key of the same name", pathNamed("a"), []signer{forged}, "", []string{ours.public()}, Missing,
			"not signed by a trusted key: the signature of ours-1 is wrong"},
		{"a key's name does not paint the terminal", pathNamed("a"), nil, "Sig: \u202e\u009b31m:AAAA\n", []string{ours.public()}, Missing,
			"the signature of \uFFFD\uFFFD31m"},
		{"a content address is nix's to judge", pathNamed("a"), nil,
			"CA: text:sha256:00xyyr3fi8l6hb839bv3f7yb86yjv7xi1cgh1xnhipym4asvb4aq\n", []string{ours.public()}, Unknown, "only nix can judge"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cache := newCache(t)
			cache.text(tc.path.Hash()+".narinfo", narInfo(tc.path, nil, tc.signers...)+tc.extra)
			got := verdict(t, newClient(t, Config{URL: cache.URL, PublicKeys: tc.keys}), tc.path)
			assert.Equal(t, tc.want, got.Verdict, got.Cause)
			assert.Contains(t, got.Cause, tc.cause)
			if tc.want == Missing {
				assert.Contains(t, got.Next, "public key")
			}
		})
	}
}

func TestKeyOfTheNixOSCacheIsTrustedAlongWithOthers(t *testing.T) {
	t.Parallel()
	client := newClient(t, Config{URL: "http://127.0.0.1", PublicKeys: []string{newSigner("ours-1").public()}})
	require.Len(t, client.cache.keys, 2)
	assert.Equal(t, "cache.nixos.org-1", client.cache.keys[1].Name)
	assert.Empty(t, newClient(t, Config{URL: "http://127.0.0.1"}).cache.keys)
}

func TestWhatIsNoStorePathIsUnknownAndAskedOfNobody(t *testing.T) {
	t.Parallel()
	cache := newCache(t)
	for _, tc := range []struct{ in, cause, next string }{
		{"", `"" is not below`, "give a path like"},
		{"/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9", "content-addressed output", "build it first"},
		{"/nix/store/../../etc/passwd", "is not a store path", "give a path like /nix/store/"},
		{"hello\x1b[2J", `hello\x1b[2J`, "give a path like"},
	} {
		got := verdicts(t, newClient(t, Config{URL: cache.URL}), false, tc.in)[tc.in]
		assert.Equal(t, Unknown, got.Verdict)
		assert.Contains(t, got.Cause, tc.cause)
		assert.Contains(t, got.Next, tc.next)
	}
	assert.Empty(t, cache.requests)
}

func TestCacheThatIsNoneMakesEveryPathUnknown(t *testing.T) {
	t.Parallel()
	path := pathNamed("hello")
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc
		cause  string
		next   string
	}{
		{"no nix-cache-info", status(http.StatusNotFound, "x"), "(404): without nix-cache-info it is no binary cache", "check the cache's URL"},
		{"another store", status(http.StatusOK, "StoreDir: /gnu/store\n"), "a cache for another store: /gnu/store", "is the cache itself"},
		{"a web page", status(http.StatusOK, "<html><title>Welcome"), "a web page (is there a proxy in between?): Welcome", "proxy or login page"},
		{"credentials wanted", status(http.StatusUnauthorized, "private"), "(401): private", "give a netrc entry"},
		{"everything forbidden", status(http.StatusForbidden, s3Denied), "forbids it (403): AccessDenied", "give a netrc entry"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cache := newCache(t)
			cache.holds(path, nil)
			cache.on("nix-cache-info", tc.answer)
			paths := []string{path.String(), pathNamed("b").String(), pathNamed("c").String()}
			got := verdicts(t, newClient(t, Config{URL: cache.URL}), false, paths...)
			require.Len(t, got, 3)
			for _, result := range got {
				assert.Equal(t, Unknown, result.Verdict)
				assert.Contains(t, result.Cause, tc.cause)
				assert.Contains(t, result.Next, tc.next)
				assert.True(t, result.Unasked)
			}
			assert.Len(t, cache.requests, 1)
		})
	}
}

func TestCacheThatDiesIsGivenUpAfterAFewPaths(t *testing.T) {
	t.Parallel()
	cache := newCache(t)
	var paths []string
	for i := range 500 {
		path := pathNamed(fmt.Sprint("p", i))
		paths = append(paths, path.String())
		cache.on(path.Hash()+".narinfo", status(http.StatusBadGateway, "gone"))
	}
	client := newClient(t, Config{URL: cache.URL})
	client.requests = 4
	got := verdicts(t, client, false, paths...)
	require.Len(t, got, 500)
	skipped := 0
	for _, result := range got {
		assert.Equal(t, Unknown, result.Verdict)
		assert.Contains(t, result.Cause, "gone")
		if result.Unasked {
			skipped++
		}
	}
	assert.GreaterOrEqual(t, skipped, 480)
}

func TestOneBrokenPathDoesNotTakeTheCacheDown(t *testing.T) {
	t.Parallel()
	cache := newCache(t)
	var paths []string
	for i := range 30 {
		path := pathNamed(fmt.Sprint("p", i))
		paths = append(paths, path.String())
		if i%3 == 0 {
			cache.on(path.Hash()+".narinfo", status(http.StatusInternalServerError, ""))
		} else {
			cache.holds(path, nil)
		}
	}
	client := newClient(t, Config{URL: cache.URL})
	client.requests = 1
	got := verdicts(t, client, false, paths...)
	for i, path := range paths {
		want := InCache
		if i%3 == 0 {
			want = Unknown
		}
		assert.Equal(t, want, got[path].Verdict)
	}
}

func TestEndOfTheContextEndsTheVerification(t *testing.T) {
	t.Parallel()
	cache := newCache(t)
	ctx, cancel := context.WithCancel(t.Context())
	endless := func(yield func(string) bool) {
		for i := 0; yield(pathNamed(fmt.Sprint("p", i)).String()); i++ {
		}
	}
	seen := 0
	client := newClient(t, Config{URL: cache.URL})
	client.requests = 2
	err := client.Verify(ctx, endless, false, func(Result) {
		if seen++; seen == 20 {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.GreaterOrEqual(t, seen, 20)
	assert.Less(t, seen, 40)
}

func TestEndOfTheContextEndsAWait(t *testing.T) {
	t.Parallel()
	cache := newCache(t)
	cache.on("nix-cache-info", status(http.StatusServiceUnavailable, ""))
	ctx, cancel := context.WithCancel(t.Context())
	client, err := New(Config{URL: cache.URL, Caller: restapi.Caller{Waiting: func(time.Duration, string) { cancel() }}})
	require.NoError(t, err)
	err = client.Verify(ctx, slices.Values([]string{pathNamed("a").String()}), false, func(Result) {})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, client.Check(ctx), context.Canceled)
	cache.text("nix-cache-info", goodCacheInfo)
	require.NoError(t, client.Check(t.Context()), "what was not established is asked again")
}

func TestNoPathsAreNoRequests(t *testing.T) {
	t.Parallel()
	cache := newCache(t)
	assert.Empty(t, verdicts(t, newClient(t, Config{URL: cache.URL}), true))
	assert.Empty(t, cache.requests)
}

func TestClosureIsWalkedOnce(t *testing.T) {
	t.Parallel()
	cache, upstream := newCache(t), newCache(t)
	app, lib, data, libc, deep, lost := pathNamed("app"), pathNamed("lib"), pathNamed("data"), pathNamed("libc"), pathNamed("deep"), pathNamed("lost")
	cache.holds(app, []StorePath{app, lib, data, libc})
	cache.holds(lib, []StorePath{lib, data, libc, lost})
	cache.holds(data, nil)
	upstream.holds(libc, []StorePath{deep})
	client := newClient(t, Config{URL: cache.URL, Upstreams: []string{upstream.URL}})

	got := verdicts(t, client, true, app.String(), app.String(), lib.String())
	want := map[StorePath]Verdict{app: InCache, lib: InCache, data: InCache, libc: Upstream, lost: Missing}
	require.Len(t, got, len(want))
	for path, verdict := range want {
		assert.Equal(t, verdict, got[path.String()].Verdict)
		assert.LessOrEqual(t, len(cache.asked(path.Hash()+".narinfo")), 1)
	}
	assert.Equal(t, lib.String(), got[lost.String()].From)
	assert.Empty(t, got[app.String()].From)
	assert.Empty(t, upstream.asked(deep.Hash()+".narinfo"), "the closure of an upstream path is not walked")

	got = verdicts(t, client, false, app.String())
	assert.Len(t, got, 1, "without Closure nothing is followed")
}

func TestClosureWithoutEndIsAnError(t *testing.T) {
	t.Parallel()
	seen := known{}
	refs := make([]StorePath, 1<<16)
	for round := range 17 {
		for i := range refs {
			refs[i] = StorePath{base: fmt.Sprintf("%s-%d-%d", someHash, round, i)}
		}
		_, err := seen.follow(nil, Result{refs: refs})
		assert.Equal(t, round < 16, err == nil, "after %d paths", len(seen))
	}
}

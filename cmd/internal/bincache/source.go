package bincache

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// source is one cache during one Verify. It knows when a cache has proved useless, so that a dead one costs the retries
// of a few paths and not of all.
type source struct {
	client  *Client
	at      endpoint
	probe   func() error // nix-cache-info, asked once
	strikes atomic.Int32 // paths in a row that got no answer
	down    atomic.Pointer[Error]
}

// maxStrikes is the number of paths in a row, each with all its retries, after which a cache counts as down.
const maxStrikes = 4

func (c *Client) source(ctx context.Context, at endpoint) *source {
	return &source{client: c, at: at, probe: sync.OnceValue(func() error {
		_, err := c.info(ctx, at)
		return err
	})}
}

// standing is what a source says about a path.
type standing int

const (
	unclear standing = iota
	lacking          // not there, or there and useless
	serving
)

type finding struct {
	standing standing
	cause    string
	next     string
	refs     []StorePath
}

// ask looks a path up. The error is ctx's own.
func (s *source) ask(ctx context.Context, path StorePath) (finding, error) {
	if err := s.probe(); err != nil {
		return s.failed(err)
	}
	if fault := s.down.Load(); fault != nil {
		return finding{cause: "not asked, since " + fault.Error(), next: fault.Next()}, nil
	}
	body, err := s.client.fetch(ctx, request{method: http.MethodGet, to: s.at, path: path.Hash() + ".narinfo", limit: maxNarInfo})
	s.count(err)
	if err != nil {
		return s.failed(err)
	}
	info, err := ParseNarInfo(body)
	if err != nil {
		return s.failed(s.client.garbled(s.at, body, err))
	}
	return s.weigh(path, info), nil
}

// count notes whether the cache answered, and gives it up after maxStrikes.
func (s *source) count(err error) {
	fault, ok := errors.AsType[*Error](err)
	switch {
	case !ok || fault.Fault != Unavailable:
		s.strikes.Store(0)
	case s.strikes.Add(1) >= maxStrikes:
		s.down.Store(fault)
	}
}

// failed makes a finding of an *Error and passes any other error on.
func (s *source) failed(err error) (finding, error) {
	fault, ok := errors.AsType[*Error](err)
	if !ok {
		return finding{}, err
	}
	if s.probe() == nil && fault.Fault == Absent {
		return finding{standing: lacking, cause: fmt.Sprintf("%s does not have it (%d)", s.at.host, fault.Status)}, nil
	}
	if s.probe() == nil && fault.Fault == Forbidden {
		// nix-cache-info was granted, so this is S3's word for a missing object. Nix takes every 403 so.
		cause := s.at.host + " answers 403, as S3 does for what it does not have"
		if fault.Detail != "" {
			cause += ": " + fault.Detail
		}
		return finding{standing: lacking, cause: cause}, nil
	}
	return finding{cause: fault.Error(), next: fault.Next()}, nil
}

// weigh decides whether Nix would take what the narinfo offers.
func (s *source) weigh(path StorePath, info NarInfo) finding {
	if info.StorePath != path {
		return finding{
			standing: lacking,
			cause:    fmt.Sprintf("%s serves another path under this hash: %s", s.at.host, info.StorePath),
			next:     "find out who pushed the other path; the cache cannot hold both",
		}
	}
	found := finding{standing: serving, cause: s.at.host + " serves it", refs: info.References}
	if len(s.client.keys) == 0 {
		return found
	}
	if name, ok := info.SignedBy(s.client.keys); ok {
		found.cause += ", signed by " + oneLine(name)
		return found
	}
	if info.ContentAddressed() {
		found.cause += ", content-addressed"
		return found
	}
	return finding{
		standing: lacking,
		cause:    fmt.Sprintf("%s serves it, but not signed by a trusted key: %s", s.at.host, s.signatures(info)),
		next:     "compare the cache's public key with the trusted ones, or sign the path and push it again",
	}
}

func (s *source) signatures(info NarInfo) string {
	if len(info.Sigs) == 0 {
		return "it has no signature"
	}
	var names []string
	for _, sig := range info.Sigs {
		name, _, _ := strings.Cut(sig, ":")
		if slices.ContainsFunc(s.client.keys, func(k PublicKey) bool { return k.Name == name }) {
			return "the signature of " + oneLine(name) + " is wrong"
		}
		names = append(names, name)
	}
	return "it has the signature of " + oneLine(strings.Join(names, ", "))
}

// One cache, asked about one path after the other.

package bincache

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"garnix2gha/cmd/internal/restapi"
)

// source is one cache. It remembers that one is useless, so that a dead one costs the retries of a few requests only.
type source struct {
	caller restapi.Caller
	keys   []PublicKey

	mu      sync.Mutex
	probed  bool
	useless error // a *restapi.Fault: why there is nothing to ask for
	strikes int   // paths in a row that got no answer
}

// Check reads nix-cache-info, once for all: nil means a cache for StoreDir. The error is a *restapi.Fault or ctx's own.
func (c *Client) Check(ctx context.Context) error { return c.cache.ready(ctx) }

func (s *source) ready(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.probed {
		return s.useless
	}
	err := s.probe(ctx)
	if ctx.Err() == nil {
		s.probed, s.useless = true, err
	}
	return err
}

func (s *source) probe(ctx context.Context) error {
	body, err := s.caller.Do(ctx, http.MethodGet, "/nix-cache-info", nil)
	if fault, ok := errors.AsType[*restapi.Fault](err); ok && fault.Absent() {
		fault.Detail = "without nix-cache-info it is no binary cache"
	}
	if err != nil {
		return err
	}
	store := ""
	err = eachField(body, false, func(key, value string) error {
		if key == "StoreDir" {
			store = value
		}
		return nil
	})
	switch {
	case err != nil:
		return s.caller.Misread(body, fmt.Sprintf("parse nix-cache-info: %s", err))
	case store == "":
		return s.caller.Misread(body, "parse nix-cache-info: StoreDir is missing")
	case store != StoreDir:
		return s.caller.Misread(body, "it is a cache for another store: "+store)
	}
	return nil
}

// ask looks a path up: InCache, Missing or Unknown, without the path itself. The error is ctx's own.
func (s *source) ask(ctx context.Context, path StorePath) (Result, error) {
	err := s.ready(ctx)
	unasked := err != nil
	if err == nil {
		var info NarInfo
		if info, err = s.narInfo(ctx, path); err == nil {
			return s.weigh(path, info), nil
		}
	}
	fault, ok := errors.AsType[*restapi.Fault](err)
	switch {
	case !ok:
		return Result{}, err
	case !unasked && fault.Absent():
		return Result{Verdict: Missing, Cause: fmt.Sprintf("%s does not have it (%d)", fault.Party, fault.Status)}, nil
	case !unasked && fault.Status == http.StatusForbidden:
		// nix-cache-info was granted, so this is S3's word for a missing object. Nix takes every 403 so.
		cause := fault.Party + " answers 403, as S3 does for what it does not have"
		if fault.Detail != "" {
			cause += ": " + fault.Detail
		}
		return Result{Verdict: Missing, Cause: cause}, nil
	}
	return Result{Verdict: Unknown, Cause: fault.Error(), Next: next(fault), Unasked: unasked}, nil
}

// narInfo reads a narinfo, and gives the cache up after maxStrikes. The error is a *restapi.Fault or ctx's own.
func (s *source) narInfo(ctx context.Context, path StorePath) (NarInfo, error) {
	body, err := s.caller.Do(ctx, http.MethodGet, "/"+path.Hash()+".narinfo", nil)
	fault, ok := errors.AsType[*restapi.Fault](err)
	s.mu.Lock()
	switch {
	case !ok || !fault.Unavailable():
		s.strikes = 0
	case s.strikes == maxStrikes-1:
		s.useless = err
	default:
		s.strikes++
	}
	s.mu.Unlock()
	if err != nil {
		return NarInfo{}, err
	}
	info, err := ParseNarInfo(body)
	if err != nil {
		return NarInfo{}, s.caller.Misread(body, err.Error())
	}
	return info, nil
}

// next is what to do about a fault.
func next(fault *restapi.Fault) string {
	switch {
	case fault.Absent():
		return "check the cache's URL"
	case fault.Refused() && fault.Authorized:
		return fmt.Sprintf("check that the token has not expired and may read %s", fault.Party)
	case fault.Refused():
		return fmt.Sprintf("give a netrc entry for %s, or for a cache at Cachix a token that may read it", fault.Party)
	case !fault.Unavailable():
		return fmt.Sprintf("check that %s is the cache itself and that no proxy or login page answers in its place", fault.Party)
	case fault.Status == http.StatusTooManyRequests:
		return "wait, then verify again with fewer requests at a time"
	case fault.Status != 0:
		return "verify again later"
	}
	return fmt.Sprintf("check the name %s and the network, then verify again", fault.Party)
}

// weigh decides whether Nix would take what the narinfo offers.
func (s *source) weigh(path StorePath, info NarInfo) Result {
	host := s.caller.Party
	if info.StorePath != path {
		return Result{
			Verdict: Missing,
			Cause:   fmt.Sprintf("%s serves another path under this hash: %s", host, info.StorePath),
			Next:    "find out who pushed the other path; the cache cannot hold both",
		}
	}
	found := Result{Verdict: InCache, Cause: host + " serves it", refs: info.References}
	if len(s.keys) == 0 {
		return found
	}
	if name, ok := info.signedBy(s.keys); ok {
		found.Cause += ", signed by " + restapi.Clean(name)
		return found
	}
	if info.CA != "" {
		return Result{
			Verdict: Unknown,
			Cause:   host + " serves it with no trusted signature and as content-addressed, which only nix can judge",
			Next:    "sign the path and push it again, or build something that needs it with this cache as the only one",
		}
	}
	return Result{
		Verdict: Missing,
		Cause:   fmt.Sprintf("%s serves it, but not signed by a trusted key: %s", host, s.signatures(info)),
		Next:    "compare the cache's public key with the trusted ones, or sign the path and push it again",
	}
}

func (s *source) signatures(info NarInfo) string {
	if len(info.Sigs) == 0 {
		return "it has no signature"
	}
	var names []string
	for _, sig := range info.Sigs {
		name, _, _ := strings.Cut(sig, ":")
		if slices.ContainsFunc(s.keys, func(k PublicKey) bool { return k.Name == name }) {
			return "the signature of " + restapi.Clean(name) + " is wrong"
		}
		names = append(names, name)
	}
	return "it has the signature of " + restapi.Clean(strings.Join(names, ", "))
}

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

// source is one cache. It remembers when the cache has proved useless, so that a dead one costs the retries of one
// request, or of a few if it dies later, and not of all.
type source struct {
	caller restapi.Caller
	keys   []PublicKey

	mu      sync.Mutex
	probed  bool
	useless *Error // why there is nothing to ask for
	strikes int    // paths in a row that got no answer
}

// maxStrikes is the number of paths in a row, each with all its retries, after which a cache counts as down.
const maxStrikes = 4

// Check reads nix-cache-info, once for all calls and every Verify: nil means a cache for StoreDir. The error is an
// *Error or ctx's own.
func (c *Client) Check(ctx context.Context) error { return c.cache.ready(ctx) }

func (s *source) ready(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.probed {
		fault, err := s.probe(ctx)
		if err != nil {
			return err
		}
		s.probed, s.useless = true, fault
	}
	if s.useless != nil {
		return s.useless
	}
	return nil
}

// probe says what is wrong with nix-cache-info. The error is ctx's own.
func (s *source) probe(ctx context.Context) (*Error, error) {
	body, fault, err := s.get(ctx, "nix-cache-info")
	if err != nil || fault != nil {
		if fault != nil && fault.Fault == Absent {
			fault.Detail = "without nix-cache-info it is no binary cache"
		}
		return fault, err
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
		return s.garbled(body, fmt.Errorf("parse nix-cache-info: %w", err)), nil
	case store == "":
		return s.garbled(body, errors.New("parse nix-cache-info: StoreDir is missing")), nil
	case store != StoreDir:
		return s.fault(OtherStore, http.StatusOK, store), nil
	}
	return nil, nil
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
	unasked  bool // the cache as a whole is useless, so it was not asked about this path
	cause    string
	next     string
	refs     []StorePath
}

// ask looks a path up. The error is ctx's own.
func (s *source) ask(ctx context.Context, path StorePath) (finding, error) {
	if err := s.ready(ctx); err != nil {
		fault, ok := errors.AsType[*Error](err)
		if !ok {
			return finding{}, err
		}
		return finding{unasked: true, cause: fault.Error(), next: fault.Next()}, nil
	}
	body, fault, err := s.get(ctx, path.Hash()+".narinfo")
	if err != nil {
		return finding{}, err
	}
	s.count(fault)
	if fault == nil {
		info, err := ParseNarInfo(body)
		if err == nil {
			return s.weigh(path, info), nil
		}
		fault = s.garbled(body, err)
	}
	switch fault.Fault {
	case Absent:
		return finding{standing: lacking, cause: fmt.Sprintf("%s does not have it (%d)", fault.Host, fault.Status)}, nil
	case Forbidden:
		// nix-cache-info was granted, so this is S3's word for a missing object. Nix takes every 403 so.
		cause := fault.Host + " answers 403, as S3 does for what it does not have"
		if fault.Detail != "" {
			cause += ": " + fault.Detail
		}
		return finding{standing: lacking, cause: cause}, nil
	}
	return finding{cause: fault.Error(), next: fault.Next()}, nil
}

// count notes whether the cache answered, and gives it up after maxStrikes.
func (s *source) count(fault *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strikes++
	if fault == nil || fault.Fault != Unavailable {
		s.strikes = 0
	}
	if s.strikes >= maxStrikes {
		s.useless = fault
	}
}

// get reads what lies below the cache's root. The error is ctx's own; anything else that is wrong is the fault.
func (s *source) get(ctx context.Context, path string) ([]byte, *Error, error) {
	reply, err := s.caller.Call(ctx, http.MethodGet, "/"+path, nil)
	failure, unanswered := errors.AsType[*restapi.Failure](err)
	switch {
	case unanswered && failure.Answered:
		return nil, s.fault(Garbled, 0, failure.Reason), nil
	case unanswered:
		return nil, s.fault(Unavailable, 0, failure.Reason), nil
	case err != nil:
		return nil, nil, err
	case reply.Status == http.StatusOK:
		return reply.Body, nil, nil
	}
	return nil, s.fault(faultOf(reply.Status), reply.Status, s.caller.Message(reply)), nil
}

func (s *source) fault(kind Fault, status int, detail string) *Error {
	return &Error{Fault: kind, Host: s.caller.Party, Status: status, Detail: s.caller.Clean(detail), Authorized: s.caller.Authorized()}
}

// garbled is the fault of a 200 that cannot be read.
func (s *source) garbled(body []byte, reason error) *Error {
	detail := reason.Error()
	if page := (restapi.Reply{Body: body}); restapi.IsPage(page) {
		detail = "a web page: " + s.caller.Message(page)
	}
	return s.fault(Garbled, http.StatusOK, detail)
}

// weigh decides whether Nix would take what the narinfo offers.
func (s *source) weigh(path StorePath, info NarInfo) finding {
	host := s.caller.Party
	if info.StorePath != path {
		return finding{
			standing: lacking,
			cause:    fmt.Sprintf("%s serves another path under this hash: %s", host, info.StorePath),
			next:     "find out who pushed the other path; the cache cannot hold both",
		}
	}
	found := finding{standing: serving, cause: host + " serves it", refs: info.References}
	if len(s.keys) == 0 {
		return found
	}
	if name, ok := info.SignedBy(s.keys); ok {
		found.cause += ", signed by " + restapi.Clean(name)
		return found
	}
	if info.ContentAddressed() {
		found.cause += ", content-addressed"
		return found
	}
	return finding{
		standing: lacking,
		cause:    fmt.Sprintf("%s serves it, but not signed by a trusted key: %s", host, s.signatures(info)),
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
		if slices.ContainsFunc(s.keys, func(k PublicKey) bool { return k.Name == name }) {
			return "the signature of " + restapi.Clean(name) + " is wrong"
		}
		names = append(names, name)
	}
	return "it has the signature of " + restapi.Clean(strings.Join(names, ", "))
}

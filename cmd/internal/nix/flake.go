package nix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
)

// Flake is a flake at one state of its files, locked.
type Flake struct {
	runner *Runner
	dir    string
	source string // its copy in the store

	// ref is the locked reference, and mutable the one that nix was given, for a nix that cannot read the locked one.
	ref, mutable string
	outdated     atomic.Bool

	// WroteLock says that nix created or updated flake.lock to read the flake.
	WroteLock bool

	search struct {
		sync.Mutex
		off, probed bool
	}
}

// metadata is what is used of `nix flake metadata --json`.
type metadata struct {
	URL    string `json:"url"`
	Path   string `json:"path"`
	Locked struct {
		Rev          string `json:"rev"`
		NarHash      string `json:"narHash"`
		LastModified *int64 `json:"lastModified"`
		Dir          string `json:"dir"`
	} `json:"locked"`
	LastModified int64 `json:"lastModified"`
}

// Open reads the flake in a directory. As with any nix command, a missing or stale flake.lock is written, files that
// git does not know are not seen, and a directory without flake.nix means the next one above that has it.
func (r *Runner) Open(ctx context.Context, dir string) (*Flake, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("read flake: %w", err)
	}
	r.report("reading the flake")
	out, messages, err := r.run(ctx, dir, "flake", "metadata", "--json", ".")
	f := &Flake{runner: r, dir: dir, WroteLock: wroteLock.MatchString(messages)}
	if failure := failureOf(err); failure != nil {
		f.mend(failure)
		return nil, fmt.Errorf("read flake: %w", failure)
	}
	if err != nil {
		return nil, err
	}
	var m metadata
	if err := json.Unmarshal(out, &m); err != nil {
		return nil, fmt.Errorf("read flake: nix flake metadata: %w", err)
	}
	if f.ref = m.reference(); f.ref == "" {
		return nil, errors.New("read flake: nix flake metadata does not tell the flake's reference")
	}
	f.source, f.mutable = m.Path, m.URL
	return f, nil
}

// reference returns the locked reference: a clean checkout is locked by its revision, another one by the hash of its
// copy in the store.
func (m metadata) reference() string {
	if m.Locked.Rev != "" || m.Path == "" {
		return m.URL
	}
	modified := m.LastModified
	if m.Locked.LastModified != nil {
		modified = *m.Locked.LastModified
	}
	ref := fmt.Sprintf("path:%s?narHash=%s&lastModified=%d", m.Path, escape(m.Locked.NarHash), modified)
	if m.Locked.Dir != "" {
		ref += "&dir=" + escape(m.Locked.Dir)
	}
	return ref
}

func escape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

var (
	storePrefix = regexp.MustCompile(`/nix/store/[0-9a-z]{32}-`)
	wroteLock   = regexp.MustCompile(`(?m)^warning: (creating|updating) lock file`)
	shallow     = regexp.MustCompile(`(?i)shallow`)
	badURL      = regexp.MustCompile(`^'file://.*' is not a valid URL`)
	untracked   = regexp.MustCompile(`(?i)source/flake\.nix': no such file|is not tracked by git`)
)

// mend makes a failure the same on every machine, and gives the next step where there is a known one.
func (f *Flake) mend(failure *Failure) {
	switch {
	case shallow.MatchString(failure.Message):
		failure.Hint = "this nix needs the whole history: git fetch --unshallow, or fetch-depth: 0"
		failure.Cause = Machine
	case badURL.MatchString(failure.Message):
		failure.Hint = "older versions of nix cannot read a flake whose folder has a space or the like in its name"
		failure.Cause = Machine
	case untracked.MatchString(failure.Message):
		failure.Hint = "run \"git add flake.nix\": nix sees only files that git knows"
	}
	text := failure.Message
	if f.source != "" {
		text = strings.ReplaceAll(text, f.source+"/", "")
	}
	text = strings.ReplaceAll(text, f.dir+"/", "")
	text = strings.ReplaceAll(text, f.dir+"'", ".'")
	if home, err := os.UserHomeDir(); err == nil && len(home) > 1 {
		text = strings.ReplaceAll(text, home+"/", "~/")
	}
	failure.Message = storePrefix.ReplaceAllString(text, "")
}

// failureOf returns the failure that err is or wraps, else nil.
func failureOf(err error) *Failure {
	var failure *Failure
	if errors.As(err, &failure) {
		return failure
	}
	return nil
}

// A locked flake.

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

	WroteLock bool // nix created or updated flake.lock to read the flake

	ref, mutable string      // the locked reference, and the one that nix was given
	outdated     atomic.Bool // this nix cannot read the locked one
	direct       atomic.Bool // garnix's search order cannot be followed, as probe finds out
	probe        sync.Once
}

// metadata is what is used of `nix flake metadata --json`.
type metadata struct {
	URL    string `json:"url"`
	Path   string `json:"path"`
	Locked struct {
		Rev     string `json:"rev"`
		NarHash string `json:"narHash"`
		Dir     string `json:"dir"`
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
	f := &Flake{runner: r, dir: dir}
	m, err := f.metadata(ctx)
	if err == nil && f.WroteLock {
		// Nix 2.26 tells of the flake as it was before it wrote the lock.
		m, err = f.metadata(ctx)
	}
	if err != nil {
		return nil, err
	}
	if f.ref = m.reference(); f.ref == "" {
		return nil, errors.New("read flake: nix flake metadata does not tell the flake's reference")
	}
	f.source, f.mutable = m.Path, m.URL
	return f, nil
}

func (f *Flake) metadata(ctx context.Context) (m metadata, err error) {
	said, out, err := f.runner.run(ctx, f.dir, "", "flake", "metadata", "--json", ".")
	if failure, ok := errors.AsType[*Failure](err); ok {
		f.tidy(failure)
		return m, fmt.Errorf("read flake: %w", failure)
	}
	if err != nil {
		return m, err
	}
	wroteLock := regexp.MustCompile(`(?m)^warning: (creating|updating) lock file`)
	f.WroteLock = f.WroteLock || wroteLock.MatchString(said.messages())
	if err := json.Unmarshal(out, &m); err != nil {
		return m, fmt.Errorf("read flake: nix flake metadata: %w", err)
	}
	return m, nil
}

// reference is the locked one: of a clean checkout by its revision, of another by the hash of its copy in the store.
func (m metadata) reference() string {
	if m.Locked.Rev != "" || m.Path == "" {
		return m.URL
	}
	ref := fmt.Sprintf("path:%s?narHash=%s&lastModified=%d", m.Path, escape(m.Locked.NarHash), m.LastModified)
	if m.Locked.Dir != "" {
		ref += "&dir=" + escape(m.Locked.Dir)
	}
	return ref
}

func escape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// tidy makes a failure the same on every machine, and gives the next step where there is a known one.
func (f *Flake) tidy(failure *Failure) {
	storePrefix := regexp.MustCompile(`/nix/store/[0-9a-z]{32}-(source/)?`)
	badURL := regexp.MustCompile(`^'file://.*' is not a valid URL`)
	untracked := regexp.MustCompile(`(?i)/flake\.nix'?:? (no such file|does not exist)|is not tracked by git`)
	noSet := regexp.MustCompile(`^(?:value is (an? .*) while a set was expected|expected a set but found (an? [a-z]+).*)$`)
	switch {
	case strings.Contains(strings.ToLower(failure.Message), "shallow"):
		failure.Hint = "this nix needs the whole history: git fetch --unshallow, or fetch-depth: 0"
		failure.Cause = Machine
	case badURL.MatchString(failure.Message):
		failure.Hint = "older versions of nix cannot read a flake whose folder has a space or the like in its name"
		failure.Cause = Machine
	case untracked.MatchString(failure.Message):
		failure.Hint = "run \"git add flake.nix\": nix sees only files that git knows"
	}
	text := noSet.ReplaceAllString(failure.Message, "it is ${1}${2}, not an attribute set")
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

// A flake as garnix saw it.

package nix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"garnix2gha/generator/config"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/target"
)

// ErrFlakeDir says that the configuration's flakeDir is no directory within the repository.
var ErrFlakeDir = errors.New("flakeDir is not a directory within the repository")

const configKey = "garnix.config" // in a lock's errors, for the flake's own configuration

// Snapshot is a flake as garnix saw it.
type Snapshot struct {
	Lock   *flake.Lock
	Config *config.Config // what decide made of the lock; nil if it is invalid, and then nothing was listed

	Searched  []Answer // what the search order found under another attribute path than its own, sorted
	WroteLock bool     // nix created or updated flake.lock
}

// Snapshot lists the repository's flake as garnix did: the configuration first, which the flake's output garnix.config
// may give, then what an include could match. decide returns the configuration that holds for a lock of which only
// GarnixConfig and Errors are set, nil if it is invalid. A part that garnix could not have listed is in the lock's Errors; the
// error is for what says nothing about the flake, and then there is no snapshot.
func (r *Runner) Snapshot(ctx context.Context, root string, decide func(*flake.Lock) *config.Config) (Snapshot, error) {
	s := Snapshot{Lock: &flake.Lock{
		Outputs: map[flake.Family]map[flake.System][]string{},
		Systems: map[string]flake.System{},
		Errors:  map[string]string{},
	}}
	top, err := r.top(ctx, root, &s, decide(s.Lock))
	if err != nil {
		return s, err
	}
	if s.Config = decide(s.Lock); s.Config == nil {
		return s, nil
	}
	path, inside := s.Config.FlakePath()
	if !inside {
		return s, nil
	}
	listed := top
	if top == nil || path != "." {
		if listed, err = r.OpenConfigured(ctx, root, s.Config); err != nil {
			return s, err
		}
		s.WroteLock = s.WroteLock || listed.WroteLock
	}
	answers, err := listed.List(ctx, Queries(s.Config))
	if err != nil {
		return s, err
	}
	if err := s.record(answers); err != nil {
		return s, err
	}
	return s, s.addSystems(ctx, listed)
}

// top opens the flake at the root, which alone may hold a configuration, and asks for it. There may be none, and it may
// be broken if the one that counts lies elsewhere, as the file says.
func (r *Runner) top(ctx context.Context, root string, s *Snapshot, file *config.Config) (*Flake, error) {
	if !hasFlake(root) {
		return nil, nil
	}
	top, err := r.Open(ctx, root)
	failure, failed := errors.AsType[*Failure](err)
	if failed && failure.Cause != Machine && file != nil {
		if path, _ := file.FlakePath(); path != "." {
			s.Lock.Errors[configKey] = failure.Message
			return nil, nil
		}
	}
	if err != nil {
		return nil, err
	}
	s.WroteLock = top.WroteLock
	s.Lock.GarnixConfig, err = top.config(ctx)
	if failure, failed = errors.AsType[*Failure](err); failed && failure.Cause != Machine {
		s.Lock.Errors[configKey], err = failure.Message, nil
	}
	return top, err
}

// OpenConfigured opens a configuration's flake, at the root or in its flakeDir, which is an ErrFlakeDir if it lies outside.
func (r *Runner) OpenConfigured(ctx context.Context, root string, c *config.Config) (*Flake, error) {
	resolved, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, fmt.Errorf("find flake: %w", err)
	}
	path, inside := c.FlakePath()
	// As garnix did: resolved first, then compared.
	inner, err := filepath.EvalSymlinks(filepath.Join(resolved, filepath.FromSlash(path)))
	if err != nil {
		return nil, fmt.Errorf("%w: %q does not exist", ErrFlakeDir, path)
	}
	below, err := filepath.Rel(resolved, inner)
	if err != nil || !inside || !filepath.IsLocal(below) {
		return nil, fmt.Errorf("%w: it leads outside", ErrFlakeDir)
	}
	if info, err := os.Stat(inner); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%w: it is not a directory", ErrFlakeDir)
	}
	if below == "." && !hasFlake(root) {
		return nil, errors.New("read flake: there is no flake.nix in the repository's root")
	}
	return r.Open(ctx, inner)
}

func hasFlake(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "flake.nix"))
	return !errors.Is(err, fs.ErrNotExist)
}

// record puts the answers into the lock, unless several are all the same failure.
func (s *Snapshot) record(answers []Answer) error {
	other := func(a Answer) bool { return a.Failure == nil || a.Failure.Message != answers[0].Failure.Message }
	if len(answers) > 1 && !slices.ContainsFunc(answers, other) {
		return fmt.Errorf("list flake: nothing of it evaluates: %w", answers[0].Failure)
	}
	var away []string
	for _, a := range answers {
		q := a.Query
		switch {
		case a.Failure != nil && a.Failure.Cause == NeedsBuild:
			away = append(away, fmt.Sprintf("%s: %s", q, a.Failure.Message))
		case a.Failure != nil:
			s.Lock.Errors[q.String()] = a.Failure.Message
		case !a.Exists:
		default:
			if s.Lock.Outputs[q.Family] == nil {
				s.Lock.Outputs[q.Family] = map[flake.System][]string{}
			}
			s.Lock.Outputs[q.Family][q.System] = a.Names
			if q.Family.Shape() == flake.Direct {
				s.Lock.Outputs[q.Family][q.System] = []string{""}
			}
		}
		if a.From != "" {
			s.Searched = append(s.Searched, a)
		}
	}
	if len(away) > 0 {
		return fmt.Errorf("list flake: %s\nhint: its names come from a build (import from derivation) that this machine does not do; "+
			"run this on a machine of that system, or leave the lock out and let the workflow list the flake", strings.Join(away, "; "))
	}
	return nil
}

// addSystems finds out what systems the selected *Configurations are for: the derivation's own system, which is what counts,
// or the package set's where the derivation cannot be had here. One that gives neither has none in the lock.
func (s *Snapshot) addSystems(ctx context.Context, f *Flake) error {
	selection, _ := target.Select(s.Config, s.Lock, target.Commit{All: true})
	var hosts []flake.AttrPath
	for _, t := range selection.Targets {
		if t.Attr.First.Shape() == flake.Named {
			hosts = append(hosts, t.Attr)
		}
	}
	noBuild := []string{"--option", "allow-import-from-derivation", "false"}
	for _, op := range []string{"describe", "systems"} {
		replies, err := f.each(ctx, question{op: op, args: noBuild}, hosts)
		if err != nil {
			return err
		}
		var rest []flake.AttrPath
		for i, r := range replies {
			if r.System == "" {
				rest = append(rest, hosts[i])
				continue
			}
			s.Lock.Systems[hosts[i].String()] = r.System
		}
		hosts = rest
	}
	return nil
}

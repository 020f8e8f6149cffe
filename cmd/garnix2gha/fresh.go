package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/target"
)

// freshJSON is how the committed lock differs from the flake, in the JSON of check --fresh.
type freshJSON struct {
	Path      string   `json:"path"`
	Status    string   `json:"status"` // current or stale-lock
	Cause     string   `json:"cause"`
	Appeared  []string `json:"appeared"`  // outputs that the lock does not have
	Unmatched []string `json:"unmatched"` // those of them that no rule selects
	Vanished  []string `json:"vanished"`  // outputs that the flake does not have
	Changed   []string `json:"changed"`   // sentences about everything else
}

// The statuses of a lock.
const (
	lockCurrent = "current"
	lockStale   = "stale-lock"
)

// checkLock lists the flake and holds the committed lock against it. Without a lock that can be compared the
// diagnostics say why.
func (o *options) checkLock(ctx context.Context, dir string, in generator.Input) (*freshJSON, diag.List, error) {
	if in.Lock.Content == nil {
		var diags diag.List
		diags.Errorf(posOf(in.Lock.Path), "lock-missing", mendLock, "there is no lock to compare the flake with")
		return nil, diags, nil
	}
	old, diags := flake.DecodeLock(in.Lock.Path, in.Lock.Content)
	if old == nil {
		return nil, diags, nil
	}
	now, err := o.list(ctx, dir, in)
	if err != nil || now.lock == nil {
		return nil, now.diags, err
	}
	compared := compareLock(in.Lock.Path, old, now.lock, now.selected)
	return &compared, now.diags, nil
}

// compareLock holds the committed lock against the flake as it is listed now. What an error says is not compared: it
// depends on the version of nix.
func compareLock(path string, old, now *flake.Lock, selected []target.Target) freshJSON {
	had, has := attrs(old), attrs(now)
	wanted := map[string]bool{}
	for _, t := range selected {
		wanted[t.Attr.String()] = true
	}
	f := freshJSON{Path: path, Appeared: without(has, had), Unmatched: []string{}, Vanished: without(had, has), Changed: []string{}}
	for _, attr := range f.Appeared {
		if !wanted[attr] {
			f.Unmatched = append(f.Unmatched, attr)
		}
	}
	systems := map[string]bool{}
	for attr := range old.Systems {
		systems[attr] = true
	}
	for attr := range now.Systems {
		systems[attr] = true
	}
	for _, attr := range slices.Sorted(maps.Keys(systems)) {
		was, is := old.Systems[attr], now.Systems[attr]
		if was != is && has[attr] && had[attr] {
			f.Changed = append(f.Changed, fmt.Sprintf("%s is for %s, no longer for %s", attr, orUnknown(is), orUnknown(was)))
		}
	}
	for _, part := range now.ErrorPaths() {
		if _, ok := old.Errors[part]; !ok {
			f.Changed = append(f.Changed, fmt.Sprintf("%s does not evaluate: %s", part, now.Errors[part]))
		}
	}
	for _, part := range old.ErrorPaths() {
		if _, ok := now.Errors[part]; !ok {
			f.Changed = append(f.Changed, part+" can be evaluated again")
		}
	}
	if !bytes.Equal(old.GarnixConfig, now.GarnixConfig) {
		f.Changed = append(f.Changed, "garnix.config is another one")
	}
	f.Status, f.Cause = f.judge()
	return f
}

func (f freshJSON) judge() (status, cause string) {
	var parts []string
	add := func(n int, format string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf(format, plural(n, "output")))
		}
	}
	add(len(f.Appeared), "%s appeared")
	add(len(f.Vanished), "%s vanished")
	if n := len(f.Changed); n > 0 {
		parts = append(parts, plural(n, "other change"))
	}
	if parts == nil {
		return lockCurrent, ""
	}
	return lockStale, "the flake changed: " + strings.Join(parts, ", ")
}

// lines renders the differences, one a line: + appeared, - vanished, ~ anything else.
func (f freshJSON) lines() []string {
	var lines []string
	for _, attr := range f.Appeared {
		line := "+ " + diag.Printable(attr)
		if slices.Contains(f.Unmatched, attr) {
			line += " (no rule selects it)"
		}
		lines = append(lines, line)
	}
	for _, attr := range f.Vanished {
		lines = append(lines, "- "+diag.Printable(attr))
	}
	for _, change := range f.Changed {
		lines = append(lines, "~ "+diag.Printable(change))
	}
	return lines
}

// diagnostic says the same as one finding; an annotation holds a few of the lines.
func (f freshJSON) diagnostic(l *diag.List) {
	const most = 20
	lines := f.lines()
	if n := len(lines); n > most {
		lines = append(lines[:most], fmt.Sprintf("and %d more", n-most))
	}
	l.Errorf(posOf(f.Path), f.Status, mendLock, "%s", strings.Join(append([]string{f.Cause}, lines...), "\n"))
}

const mendLock = `run "garnix2gha snapshot", then "garnix2gha generate", and commit the result`

func attrs(lock *flake.Lock) map[string]bool {
	all := map[string]bool{}
	for _, p := range lock.Paths() {
		all[p.String()] = true
	}
	return all
}

// without returns what is in a and not in b, sorted.
func without(a, b map[string]bool) []string {
	rest := []string{}
	for _, attr := range slices.Sorted(maps.Keys(a)) {
		if !b[attr] {
			rest = append(rest, attr)
		}
	}
	return rest
}

func orUnknown(system flake.System) string {
	if system == "" {
		return "an unknown system"
	}
	return string(system)
}

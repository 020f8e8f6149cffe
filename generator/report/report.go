// Package report tells what became of one repository's garnix.yaml: every key and its fate, the checks before and after,
// and the next steps. What holds for every repository stands in the README.
package report

import (
	"fmt"
	"slices"
	"strings"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/plan"
	"garnix2gha/generator/settings"
	"garnix2gha/generator/target"
)

// Fate says where a key of garnix.yaml went.
type Fate string

// The fates. Nothing is silently dropped: what garnix ignored is named as well.
const (
	Carried Fate = "carried" // means the same now
	Changed Fate = "changed" // carried over with a difference
	Lost    Fate = "lost"    // has no equivalent
	Manual  Fate = "manual"  // needs something by hand
	Ignored Fate = "ignored" // garnix ignored it too
)

// Key is a key of the configuration and its fate, or the first of several below one top-level key that share theirs.
type Key struct {
	Path string `json:"path"`
	diag.Pos
	Count int    `json:"count"` // of keys, at least 1
	Fate  Fate   `json:"fate"`
	Note  string `json:"note"`
}

// Check pairs what garnix reported with what reports it now. N and SYSTEM stand for any.
type Check struct {
	Old string `json:"old"`
	New string `json:"new"` // "" if nothing reports it
}

// Report is the whole migration report.
type Report struct {
	Config   string    `json:"config"`   // garnix.yaml, flake.nix, or "" for garnix's defaults
	Strategy string    `json:"strategy"` // static or dynamic
	Targets  int       `json:"targets"`  // known now
	Open     []string  `json:"open"`     // the includes of which only the flake tells what they select
	Default  []string  `json:"default"`  // garnix's default include, where a section has no other
	Complete bool      `json:"complete"` // every key is carried over, and there is no warning
	Keys     []Key     `json:"keys"`
	Notes    []string  `json:"notes"` // what is different on GitHub
	Warnings diag.List `json:"warnings"`
	Checks   []Check   `json:"checks"`
	Steps    []Step    `json:"steps"`
}

// Input is what a report is made of.
type Input struct {
	Config    *config.Config
	Settings  *settings.Settings
	Plan      *plan.Plan
	Strategy  string
	Selection target.Selection
	Warnings  diag.List
	Foreign   map[string][]byte // the workflows by path that are not ours
}

// New makes the report.
func New(in Input) Report {
	r := Report{
		Config:   in.Config.File,
		Strategy: in.Strategy,
		Targets:  len(in.Selection.Targets),
		Open:     []string{},
		Default:  []string{},
		Warnings: append(diag.List{}, in.Warnings...),
		Keys:     keys(in),
		Notes:    notes(in),
		Checks:   checks(in),
		Steps:    steps(in),
	}
	for _, open := range in.Selection.Open {
		r.Open = append(r.Open, diag.OneLine(open.Matcher.String(), 80))
	}
	for _, section := range in.Config.Sections {
		if section.IncludeIsDefault && len(r.Default) == 0 {
			for _, m := range section.Include {
				r.Default = append(r.Default, m.String())
			}
		}
	}
	lost := func(key Key) bool { return key.Fate != Carried }
	r.Complete = len(r.Warnings) == 0 && !slices.ContainsFunc(r.Keys, lost)
	return r
}

// keys judges every key; those below one top-level key that share fate and note are one entry.
func keys(in Input) []Key {
	type kin struct {
		top  string
		fate Fate
		note string
	}
	out, idle := []Key{}, idle(in)
	seen := map[kin]int{}
	for _, key := range in.Config.Keys {
		top, _, _ := strings.Cut(strings.ReplaceAll(key.Path, "[", "."), ".")
		fate, note := fateOf(in.Config, key, top)
		if idle[key.Path] != "" {
			fate, note = Ignored, idle[key.Path]
		}
		of := kin{top, fate, note}
		if i, ok := seen[of]; ok {
			out[i].Count++
			continue
		}
		seen[of] = len(out)
		out = append(out, Key{Path: key.Path, Pos: key.Pos, Count: 1, Fate: fate, Note: note})
	}
	return out
}

// idle tells by path which includes and excludes hold matchers that have no effect.
func idle(in Input) map[string]string {
	warned := map[diag.Pos]bool{}
	for _, d := range in.Warnings {
		warned[d.Pos] = warned[d.Pos] || d.Severity == diag.Warning && d.Code != "dotted-name"
	}
	out := map[string]string{}
	tell := func(path string, matchers []config.Matcher) {
		dead := 0
		for _, m := range matchers {
			if m.Dead || m.Pos.Line > 0 && warned[m.Pos] {
				dead++
			}
		}
		if dead > 0 {
			out[path] = fmt.Sprintf("%d of its matchers, below, never had an effect", dead)
		}
	}
	for i, section := range in.Config.Sections {
		for _, builds := range []string{"builds", fmt.Sprintf("builds[%d]", i)} {
			tell(builds+".include", section.Include)
			tell(builds+".exclude", section.Exclude)
		}
	}
	return out
}

// fateOf judges a key by its path and the top-level key that it stands below.
func fateOf(c *config.Config, key config.Key, top string) (Fate, string) {
	switch key.Kind {
	case config.KeyUnknown:
		return Ignored, "garnix never read it"
	case config.KeyFork:
		return Ignored, "only a self-hosted fork of garnix reads it"
	case config.KeyHosted:
		return Lost, "it gave tokens for an organisation's inputs: set nix.access-token-secret instead"
	}
	switch {
	case top == "actions" && strings.HasSuffix(key.Path, ".sandboxType"):
		return Changed, "it runs on the runner itself, not in a microVM"
	case top == "actions" && strings.HasSuffix(key.Path, ".run"):
		return Manual, "garnix's age key cannot be exported: make a new one and encrypt again"
	case key.Path == "actions":
		return Changed, "each action is a job of its own workflow and never turns the aggregate red"
	case top == "servers":
		return Lost, "GitHub hosts no servers: deploy from a job of your own after the builds"
	case top == "incrementalizeBuilds" && c.Incrementalize.Enabled:
		return Lost, "builds are whole again, which is only slower"
	case top == "fodChecks" && c.FODChecks:
		return Lost, "fixed-output derivations are not built a second time"
	case top == "modules" && c.PublishModules:
		return Lost, "garnix's module index is gone"
	}
	return Carried, ""
}

// notes are the differences between garnix and GitHub that no key names.
func notes(in Input) []string {
	out := []string{"a commit message with [skip ci] starts no workflow, and a first-time contributor's pull request waits for approval"}
	if in.Plan.Build == nil {
		return out
	}
	cache := in.Plan.Manifest.Cache
	if cache.Variable != "" {
		out = append(out, fmt.Sprintf("pull requests from forks build without the cache while only the variable %s names it: GitHub gives them no variables", cache.Variable))
	}
	if len(cache.PushRefs) == 0 {
		cost := "every branch is built and pushed, as with garnix, so whoever may push writes to the cache"
		darwin := func(t target.Target) bool { return t.System.Darwin() }
		if slices.ContainsFunc(in.Selection.Targets, darwin) {
			cost += ", and in a private repository a macOS minute costs ten times a Linux one"
		}
		out = append(out, cost+"; cache.push-refs and triggers.push-branches narrow it")
	}
	if cache.Backend == "nix" {
		out = append(out, "nix copy uploads whole closures, also what cache.nixos.org serves: about a gigabyte for the first NixOS system")
	}
	return out
}

// checks pairs the names of garnix's checks with the new ones. A rule that demands one that is gone waits for ever.
func checks(in Input) []Check {
	out := []Check{}
	if b := in.Plan.Build; b != nil {
		job := "Build SYSTEM"
		if in.Plan.Manifest.Granularity == settings.PerTarget {
			job = "Build package N [SYSTEM]"
		}
		a := flake.AttrPath{First: "packages", Second: "SYSTEM", Third: "N"}
		out = append(out, Check{"All Garnix checks", b.Aggregate}, Check{"Evaluate flake.nix", "Plan"}, Check{a.CheckName(), job})
	}
	if in.Plan.Actions != nil {
		out = append(out, Check{"app N", "action N"}, Check{"action N", "action N"})
	}
	if in.Config.FODChecks {
		out = append(out, Check{Old: "FOD checks"})
	}
	if len(in.Config.Servers) > 0 {
		out = append(out, Check{Old: "deployment plan"}, Check{Old: "deployment N"})
	}
	if in.Config.PublishModules {
		out = append(out, Check{Old: "Garnix module publish"})
	}
	return out
}

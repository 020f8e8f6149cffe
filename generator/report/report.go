// Package report tells what became of one repository's garnix.yaml: every key and its fate, the checks before and after,
// and the next steps. What holds for every repository stands in the README.
package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/plan"
	"garnix2gha/generator/settings"
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
	Files    []string  `json:"files"`   // the workflows, by name
	Version  string    `json:"version"` // of the program that writes them
}

// New makes the report of a plan, with the warnings about what it was made of.
func New(p *plan.Plan, warnings diag.List) Report {
	r := Report{
		Config:   p.Input.Config.File,
		Strategy: p.Strategy,
		Targets:  len(p.Input.Selection.Targets),
		Open:     []string{},
		Default:  []string{},
		Warnings: append(diag.List{}, warnings...),
		Keys:     keys(p.Input),
		Notes:    notes(p),
		Checks:   checks(p),
		Steps:    steps(p),
		Files:    p.Files(),
		Version:  p.Manifest.Generator,
	}
	for _, open := range p.Input.Selection.Open {
		r.Open = append(r.Open, diag.OneLine(open.Matcher.String(), 80))
	}
	for _, section := range p.Input.Config.Sections {
		if section.IncludeIsDefault {
			r.Default = section.IncludeTexts()
		}
	}
	lost := func(key Key) bool { return key.Fate != Carried }
	r.Complete = len(r.Warnings) == 0 && !slices.ContainsFunc(r.Keys, lost)
	return r
}

type verdict struct {
	fate Fate
	note string
}

// keys judges every key; those below one top-level key that share a verdict are one entry.
func keys(in plan.Input) []Key {
	type kin struct {
		top string
		verdict
	}
	out, idle := []Key{}, idle(in)
	seen := map[kin]int{}
	for _, key := range in.Config.Keys {
		top, _, _ := strings.Cut(strings.ReplaceAll(key.Path, "[", "."), ".")
		v, ok := idle[key.Path]
		if !ok {
			v = judge(in.Config, key, top)
		}
		if i, ok := seen[kin{top, v}]; ok {
			out[i].Count++
			continue
		}
		seen[kin{top, v}] = len(out)
		out = append(out, Key{Path: key.Path, Pos: key.Pos, Count: 1, Fate: v.fate, Note: v.note})
	}
	return out
}

// idle judges by path the includes and excludes that hold matchers without effect.
func idle(in plan.Input) map[string]verdict {
	type written struct {
		at   diag.Pos
		text string
	}
	found := map[written]bool{}
	for _, f := range in.Selection.Findings {
		for _, place := range f.Places {
			found[written{place.Matcher.Pos, place.Matcher.String()}] = f.Severity == diag.Warning
		}
	}
	out := map[string]verdict{}
	tell := func(path string, matchers []config.Matcher) {
		dead := 0
		for _, m := range matchers {
			if found[written{m.Pos, m.String()}] {
				dead++
			}
		}
		switch {
		case dead == 0:
		case dead == len(matchers):
			out[path] = verdict{Ignored, "none of its matchers, below, ever had an effect"}
		default:
			out[path] = verdict{Carried, fmt.Sprintf("%d of its %d matchers, below, never had an effect", dead, len(matchers))}
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

// judge tells what became of a key by its path and the top-level key that it stands below.
func judge(c *config.Config, key config.Key, top string) verdict {
	switch key.Kind {
	case config.KeyUnknown:
		return verdict{Ignored, "garnix never read it"}
	case config.KeyFork:
		return verdict{Ignored, "only a self-hosted fork of garnix reads it"}
	case config.KeyHosted:
		return verdict{Lost, "it gave tokens for an organisation's inputs: set nix.access-token-secret instead"}
	}
	switch {
	case top == "actions" && strings.HasSuffix(key.Path, ".sandboxType"):
		return verdict{Changed, "it runs on the runner itself, not in a microVM"}
	case top == "actions" && strings.HasSuffix(key.Path, ".run"):
		return verdict{Manual, "garnix's age key cannot be exported: make a new one and encrypt again"}
	case top == "actions" && strings.HasSuffix(key.Path, ".on"):
		return verdict{Carried, "it runs whenever the builds do (triggers: in the settings), on forks' pull requests without its key"}
	case key.Path == "actions":
		return verdict{Changed, "each action is a job of its own workflow and never turns the aggregate red"}
	case top == "servers":
		return verdict{Lost, "GitHub hosts no servers: deploy from a job of your own after the builds"}
	case top == "incrementalizeBuilds" && c.Incrementalize.Enabled:
		return verdict{Lost, "builds are whole again, which is only slower"}
	case top == "fodChecks" && c.FODChecks:
		return verdict{Lost, "fixed-output derivations are not built a second time"}
	case top == "modules" && c.PublishModules:
		return verdict{Lost, "garnix's module index is gone"}
	}
	return verdict{fate: Carried}
}

// notes are the differences between garnix and GitHub that no key names.
func notes(p *plan.Plan) []string {
	out := []string{"a commit message with [skip ci] starts no workflow, and a first-time contributor's pull request waits for approval"}
	if p.Build == nil {
		return out
	}
	cache := p.Manifest.Cache
	if cache.Variable != "" {
		out = append(out, fmt.Sprintf("pull requests from forks build without the cache while only the variable %s names it: GitHub gives them no variables", cache.Variable))
	}
	if len(cache.PushRefs) == 0 {
		cost := "every branch is built and pushed, as with garnix, so whoever may push writes to the cache"
		darwin := func(system string) bool { return flake.System(system).Darwin() }
		if slices.ContainsFunc(slices.Collect(maps.Keys(p.Manifest.Runners)), darwin) {
			cost += ", and in a private repository a macOS minute costs ten times a Linux one"
		}
		out = append(out, cost+"; cache.push-refs narrows it, and triggers.push-branches together with triggers.pull-requests: all")
	}
	if cache.Backend == settings.NixCopy {
		out = append(out, "nix copy uploads whole closures, also what cache.nixos.org serves: about a gigabyte for the first NixOS system")
	}
	return out
}

// checks pairs the names of garnix's checks with the new ones. A rule that demands one that is gone waits for ever.
func checks(p *plan.Plan) []Check {
	out := []Check{}
	if p.Build != nil {
		job := "Build SYSTEM"
		if p.Manifest.Granularity == settings.PerTarget {
			job = "Build package N [SYSTEM]"
		}
		a := flake.AttrPath{First: "packages", Second: "SYSTEM", Third: "N"}
		out = append(out, Check{"All Garnix checks", p.Common.Names.Aggregate}, Check{"Evaluate flake.nix", "Plan"}, Check{a.CheckName(), job})
	}
	if p.Actions != nil {
		out = append(out, Check{"app N", "action N"}, Check{"action N", "action N"})
	}
	if p.Input.Config.FODChecks {
		out = append(out, Check{Old: "FOD checks"})
	}
	if len(p.Input.Config.Servers) > 0 {
		out = append(out, Check{Old: "deployment plan"}, Check{Old: "deployment N"})
	}
	if p.Input.Config.PublishModules {
		out = append(out, Check{Old: "Garnix module publish"})
	}
	return out
}

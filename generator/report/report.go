// Package report tells what became of a garnix.yaml: every key and its fate, what is lost, the checks before and
// after, the jobs, and what is left to do by hand.
package report

import (
	"fmt"
	"slices"
	"strings"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
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

// Key is one key of the configuration and its fate.
type Key struct {
	Path string `json:"path"`
	diag.Pos
	Fate Fate   `json:"fate"`
	Note string `json:"note"`
}

// Check pairs what garnix reported with what reports it now.
type Check struct {
	Old string `json:"old"`
	New string `json:"new"` // "" if nothing reports it
}

// Step is one thing to do by hand; its commands can be run as they stand, after filling in <…>.
type Step struct {
	Title    string   `json:"title"`
	Why      string   `json:"why"`
	Commands []string `json:"commands"`
}

// Report is the whole migration report.
type Report struct {
	Config   string    `json:"config"`   // garnix.yaml, flake.nix, or "" for garnix's defaults
	Strategy string    `json:"strategy"` // static or dynamic
	Targets  int       `json:"targets"`  // known now
	Open     []string  `json:"open"`     // the includes of which only the flake tells what they select
	Complete bool      `json:"complete"` // nothing changed, lost or manual among the keys, no warning
	Keys     []Key     `json:"keys"`
	Notes    []string  `json:"notes"` // differences that hold for every repository
	Warnings diag.List `json:"warnings"`
	Checks   []Check   `json:"checks"`
	Mermaid  string    `json:"mermaid"`
	Steps    []Step    `json:"steps"`
}

// Input is what a report is made of.
type Input struct {
	Config    *config.Config
	Settings  *settings.Settings
	Plan      *plan.Plan
	Strategy  plan.Strategy
	Selection target.Selection
	Warnings  diag.List
}

// New makes the report.
func New(in Input) Report {
	r := Report{
		Config:   in.Config.File,
		Strategy: string(in.Strategy),
		Targets:  len(in.Selection.Targets),
		Open:     []string{},
		Warnings: in.Warnings,
		Keys:     []Key{},
		Notes:    notes(in),
		Checks:   checks(in),
		Mermaid:  mermaid(in),
		Steps:    steps(in),
	}
	if r.Warnings == nil {
		r.Warnings = diag.List{}
	}
	for _, open := range in.Selection.Open {
		r.Open = append(r.Open, open.Matcher.String())
	}
	r.Complete = len(r.Warnings) == 0
	for _, key := range in.Config.Keys {
		fate, note := fateOf(in.Config, key)
		r.Keys = append(r.Keys, Key{Path: key.Path, Pos: key.Pos, Fate: fate, Note: note})
		if fate != Carried {
			r.Complete = false
		}
	}
	return r
}

// fateOf judges a key by its path without list indices.
func fateOf(c *config.Config, key config.Key) (Fate, string) {
	switch key.Kind {
	case config.KeyUnknown:
		return Ignored, "garnix never read it"
	case config.KeyFork:
		return Ignored, "only a self-hosted fork of garnix reads it; hosted garnix did not"
	case config.KeyHosted:
		return Lost, "the hosted service gave tokens for the inputs of an organisation; set nix.access-token-secret instead"
	}
	path := indices(key.Path)
	top, _, _ := strings.Cut(path, ".")
	switch {
	case path == "actions":
		return Changed, "each action is a job of its own workflow: building its app or a time-out no longer turns the aggregate red, and the app is not pushed to the cache"
	case path == "actions.sandboxType":
		return Changed, "it runs on the runner itself: no microVM, its files are the runner's"
	case path == "actions.run":
		return Manual, "garnix's age key can not be exported: make a new one, encrypt again, store it as a secret"
	case top == "servers":
		return Lost, "GitHub hosts no servers: deploy from a job of your own after the builds"
	case top == "incrementalizeBuilds" && !c.Incrementalize.Enabled,
		top == "fodChecks" && !c.FODChecks.Value,
		top == "modules" && !c.PublishModules.Value:
		return Carried, "it is off"
	case top == "incrementalizeBuilds":
		return Lost, "builds are whole again: only slower, for the flake's own empty default is used"
	case top == "fodChecks":
		return Lost, "fixed-output derivations are not built a second time; it never decided the aggregate check"
	case top == "modules":
		return Lost, "garnix's module index is gone"
	}
	return Carried, ""
}

// indices removes "[0]" from a path.
func indices(path string) string {
	for {
		open := strings.IndexByte(path, '[')
		if open < 0 {
			return path
		}
		end := strings.IndexByte(path[open:], ']')
		if end < 0 {
			return path
		}
		path = path[:open] + path[open+end+1:]
	}
}

// notes are the differences between garnix and GitHub that no key names.
func notes(in Input) []string {
	out := []string{
		"a commit message with [skip ci] starts no workflow; garnix knew no such mark",
		"a push made with GITHUB_TOKEN (a lock-update bot) starts no workflow, and the pull request it opens waits for approval: see the last steps",
		"a first-time contributor's pull request waits for approval; garnix built it at once",
		"what garnix built of pull requests from forks went to its cache; here they push nothing",
	}
	if in.Plan.Build == nil {
		return out
	}
	cache := in.Plan.Manifest.Cache
	if in.Plan.Common.Store.Variable != "" {
		out = append(out, fmt.Sprintf("GitHub gives pull requests from forks no variables: while only %s names the cache, they build without it; \"garnix2gha init --cache NAME\" puts the name into the settings",
			cache.Variable))
	}
	if len(cache.PushRefs) == 0 {
		cost := "every branch is built and pushed, as with garnix: that takes storage in the cache, and minutes where the repository is private"
		if slices.ContainsFunc(in.Plan.Systems(), func(system string) bool { return strings.HasSuffix(system, "-darwin") }) {
			cost += " (a macOS minute costs ten times a Linux one)"
		}
		out = append(out, cost+"; cache.push-refs and triggers.push-branches narrow it")
	}
	if cache.Backend == "nix" {
		out = append(out, "nix copy uploads whole closures, also what cache.nixos.org serves, because a store takes no path without its references: expect about a gigabyte for the first NixOS system")
	}
	if in.Plan.Manifest.Granularity == "" {
		out = append(out, "targets share one job per system: the summary and annotations name them; \"statuses: true\" posts one status per target")
	}
	return out
}

// checks pairs the names of garnix's checks with the new ones.
func checks(in Input) []Check {
	out := []Check{}
	if b := in.Plan.Build; b != nil {
		out = append(out,
			Check{Old: "All Garnix checks", New: b.Aggregate},
			Check{Old: "Evaluate flake.nix", New: "Plan"},
		)
		for _, t := range in.Selection.Targets {
			out = append(out, Check{Old: t.Attr.CheckName(), New: job(in.Plan, t)})
		}
	}
	if a := in.Plan.Actions; a != nil {
		for _, action := range a.Jobs {
			out = append(out,
				Check{Old: "app " + action.Name, New: action.Check},
				Check{Old: "action " + action.Name, New: action.Check})
		}
	}
	return append(out, lostChecks(in.Config)...)
}

// lostChecks lists the checks of garnix that nothing reports any more: a rule that demands one waits for ever.
func lostChecks(c *config.Config) []Check {
	var out []Check
	if c.FODChecks.Value {
		out = append(out, Check{Old: "FOD checks"})
	}
	if len(c.Servers) > 0 {
		out = append(out, Check{Old: "deployment plan"})
	}
	for _, server := range c.Servers {
		out = append(out, Check{Old: "deployment " + server.Configuration.Value})
	}
	if c.PublishModules.Value {
		out = append(out, Check{Old: "Garnix module publish"})
	}
	return out
}

func job(p *plan.Plan, t target.Target) string {
	switch {
	case p.Manifest.Granularity == string(settings.PerTarget):
		return "Build " + t.Attr.CheckName()
	case t.System == "":
		return "Build <its system>"
	}
	return "Build " + string(t.System)
}

// mermaid draws the jobs.
func mermaid(in Input) string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	if p := in.Plan.Build; p != nil {
		b.WriteString("  plan[Plan]\n")
		for i, system := range in.Plan.Systems() {
			fmt.Fprintf(&b, "  plan --> b%d[\"Build %s\"] --> checks\n", i, system)
		}
		fmt.Fprintf(&b, "  plan --> checks[%q]\n", strings.NewReplacer(`"`, "'", "\n", " ").Replace(p.Aggregate))
		if p.Statuses {
			b.WriteString("  plan --> statuses[Statuses]\n")
		}
		b.WriteString("  schedule([Cache Only]) --> all[Verify every target]\n")
	}
	if a := in.Plan.Actions; a != nil {
		for i, action := range a.Jobs {
			fmt.Fprintf(&b, "  event([Garnix Actions]) --> a%d[%q]\n", i, strings.NewReplacer(`"`, "_", "[", "_", "]", "_").Replace(diag.Printable(action.Check)))
		}
	}
	return b.String()
}

// of lists the keys of the given fates.
func (r Report) of(fates ...Fate) []Key {
	var out []Key
	for _, key := range r.Keys {
		if slices.Contains(fates, key.Fate) {
			out = append(out, key)
		}
	}
	return out
}

// Package plan decides what CI shall do: from targets and settings to jobs, runners, triggers and what they are
// given. All decisions end here; the templates only spell a Plan.
package plan

import (
	"maps"
	"slices"
)

// Strategy says when the targets are listed.
type Strategy string

// Static workflows carry their targets; dynamic ones carry the rules and list at run time.
const (
	Static  Strategy = "static"
	Dynamic Strategy = "dynamic"
)

// Plan is what the templates are given. Every field is load-bearing there; a nil workflow is not rendered.
type Plan struct {
	Build   *Build   `json:"build"`
	Cache   *Cache   `json:"cache"`
	Actions *Actions `json:"actions"`
	Common  Common   `json:"common"`
}

// Common is what every workflow shares.
type Common struct {
	Uses     Uses              `json:"uses"`     // pinned actions, "owner/name@sha # version"
	Nix      Nix               `json:"nix"`      // how Nix is installed
	FlakeDir string            `json:"flakeDir"` // clean slash path below the root, "." for the root itself
	Source   map[string]string `json:"source"`   // environment that says what to evaluate: RULES, or TARGETS, TARGETS_2, …
	Store    Store             `json:"store"`    // the binary cache
	Runners  map[string]any    `json:"runners"`  // label, or list of labels, by system
	Helper   any               `json:"helper"`   // label of Linux jobs that build nothing
}

// Uses names the pinned actions.
type Uses struct {
	Checkout string `json:"checkout"`
	Nix      string `json:"nix"`
	Cachix   string `json:"cachix"`
	Upload   string `json:"upload"`
	Download string `json:"download"`
}

// Nix says how Nix is installed: the inputs of the installing action, in its own words.
type Nix struct {
	With map[string]string `json:"with"`
}

// Store is the binary cache as workflows see it.
type Store struct {
	Backend    string            `json:"backend"`    // cachix, nix or attic
	Name       string            `json:"name"`       // literal or expression; "" for backend nix
	URL        string            `json:"url"`        // literal or expression: where it is read
	PushURL    string            `json:"pushUrl"`    // backend nix: where it is written
	Server     string            `json:"server"`     // backend attic
	Upstreams  string            `json:"upstreams"`  // space separated URLs whose paths count as present
	Private    bool              `json:"private"`    // reading needs the token too
	Secrets    map[string]string `json:"secrets"`    // environment variable by secret expression, for pushing steps
	HasToken   string            `json:"hasToken"`   // expression: whether the secrets are there
	ReadSecret string            `json:"readSecret"` // expression of the secret that reads a private cache
	Install    string            `json:"install"`    // command that installs the client, "" when none is needed
}

// Build is the workflow that builds and pushes.
type Build struct {
	File         string         `json:"file"`
	Name         string         `json:"name"`
	Aggregate    string         `json:"aggregate"`    // name of the check that decides
	Triggers     Triggers       `json:"triggers"`     //
	PushRefs     string         `json:"pushRefs"`     // one branch pattern a line
	ConfigFile   string         `json:"configFile"`   // "" when there is no garnix.yaml to watch
	ConfigDigest string         `json:"configDigest"` // SHA-256 in hex of ConfigFile without carriage returns
	Granularity  string         `json:"granularity"`  // system or target
	Shards       map[string]int `json:"shards"`       // by system
	FreeDisk     bool           `json:"freeDisk"`     // remove preinstalled software on Linux first
	Statuses     bool           `json:"statuses"`     // one commit status a target
	Minutes      Minutes        `json:"minutes"`      //
}

// Triggers says what starts the build workflow.
type Triggers struct {
	Push         []string `json:"push"`         // branch patterns
	PullRequests string   `json:"pullRequests"` // forks, all or none
	MergeGroup   bool     `json:"mergeGroup"`
	Dispatch     bool     `json:"dispatch"`
}

// Minutes are the time limits of jobs.
type Minutes struct {
	Plan   int `json:"plan"`
	Build  int `json:"build"`
	Verify int `json:"verify"`
}

// Cache is the workflow that only verifies.
type Cache struct {
	File     string `json:"file"`
	Name     string `json:"name"`
	Schedule string `json:"schedule"` // cron, "" for none
	Minutes  int    `json:"minutes"`
}

// Actions is the workflow of garnix actions: flake apps that garnix ran on every build.
type Actions struct {
	File     string   `json:"file"`
	Name     string   `json:"name"`
	Triggers Triggers `json:"triggers"`
	Minutes  int      `json:"minutes"`
	Jobs     []Action `json:"jobs"` // in the order of garnix.yaml
}

// Action is one garnix action.
type Action struct {
	ID       string `json:"id"`     // job id
	Name     string `json:"name"`   // app name
	Check    string `json:"check"`  // garnix's check name, safe to show
	Secret   string `json:"secret"` // name of the secret that holds its age key
	WithRepo bool   `json:"withRepo"`
}

// Files returns the base names of the planned workflows.
func (p *Plan) Files() []string {
	var names []string
	if p.Build != nil {
		names = append(names, p.Build.File, p.Cache.File)
	}
	if p.Actions != nil {
		names = append(names, p.Actions.File)
	}
	return names
}

// Systems returns the systems of the planned runners, sorted.
func (p *Plan) Systems() []string { return slices.Sorted(maps.Keys(p.Common.Runners)) }

// Package plan decides what CI shall do: from targets and settings to jobs, runners, triggers and what they are
// given. All decisions end here; the templates only spell a Plan, and the programs read its Manifest.
package plan

import "garnix2gha/generator/settings"

// Plan is what CI shall do. Every field that has a name in JSON is load-bearing in the templates; nil is not rendered.
type Plan struct {
	Build    *Build   `json:"build"`
	Actions  *Actions `json:"actions"`
	Common   Common   `json:"common"`
	Manifest Manifest `json:"-"` // what the programs are told
	Strategy string   `json:"-"` // settings.Static or Dynamic
	Input    Input    `json:"-"` // what it was made of
}

// Common is what the workflows share.
type Common struct {
	Files    settings.Files    `json:"files"`
	Names    settings.Names    `json:"names"`
	Triggers settings.Triggers `json:"triggers"`

	Uses   map[string]string `json:"uses"`   // pinned actions, "owner/name@sha # version", by what they do
	Nix    map[string]string `json:"nix"`    // inputs of the action that installs Nix, in its own words
	Helper any               `json:"helper"` // label, or list of labels, of Linux jobs that build nothing
	Store  Store             `json:"store"`  // the binary cache
	Sparse string            `json:"sparse"` // folders that bring the programs and every input, one a line; the root's files come along
}

// Store is what only expressions can tell of the binary cache.
type Store struct {
	Variable string            `json:"variable"` // repository variable that holds its name, "" when the settings do
	Read     string            `json:"read"`     // secret that reads a private cache, "" for a public one
	Push     map[string]string `json:"push"`     // secret by the environment variable of the step that pushes
}

// Build is the workflow that builds and pushes, and the one that only verifies.
type Build struct {
	Cancel   string            `json:"cancel"`
	FreeDisk bool              `json:"freeDisk"` // remove preinstalled software on Linux first
	Statuses bool              `json:"statuses"` // one commit status per target
	Minutes  settings.Timeouts `json:"minutes"`  // of jobs, with the time to push after building has stopped
	Schedule string            `json:"schedule"` // cron of the verification, "" for none
}

// Actions is the workflow of garnix actions: flake apps that garnix ran on every build.
type Actions struct {
	Cancel  string   `json:"cancel"` // pull-requests or never: a deployment is not ended half-way
	Minutes int      `json:"minutes"`
	Jobs    []Action `json:"jobs"` // in the order of garnix.yaml
}

// Action is one garnix action.
type Action struct {
	ID     string `json:"id"`     // job id
	Name   string `json:"name"`   // app name
	Check  string `json:"check"`  // garnix's check name, safe to show
	Secret string `json:"secret"` // name of the secret that holds its age key
}

// Files returns the base names of the planned workflows.
func (p *Plan) Files() []string {
	var names []string
	if p.Build != nil {
		names = append(names, p.Common.Files.Build, p.Common.Files.Cache)
	}
	if p.Actions != nil {
		names = append(names, p.Common.Files.Actions)
	}
	return names
}

// Wants reports whether the planned workflows call a program of templates/ci, or a program that they call does.
func (p *Plan) Wants(program string) bool {
	builds := p.Build != nil
	switch program {
	case "cachix.py", "attic.py":
		return builds && p.Manifest.Cache.Backend+".py" == program
	case "nix_copy.py":
		return builds && p.Manifest.Cache.Backend == settings.NixCopy
	case "statuses.py":
		return builds && p.Build.Statuses
	case "disk.py":
		return builds && p.Build.FreeDisk
	case "action.py":
		return p.Actions != nil
	}
	return true
}

// Package settings reads .github/garnix2gha/config.yaml: everything about the generated workflows that garnix.yaml
// could not say.
//
// The file is strict, because a setting that is quietly ignored costs more than one that is refused: unknown and
// repeated keys, wrong types and values that no part of the program would read are errors, all reported at once.
package settings

import (
	"strings"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

// Settings is the file with every value checked and defaulted.
type Settings struct {
	Cache       Cache
	Runners     map[flake.System]Runner // has every system of flake.Systems
	PlanRunner  Runner                  // for the jobs that run on Linux whatever is built
	Triggers    Triggers
	Cancel      Cancel
	Stale       Stale
	Strategy    Strategy
	Granularity Granularity
	Shards      map[flake.System]int // has every system of flake.Systems; 1 to 256
	Nix         Nix
	Names       Names
	Files       Files
	Timeouts    Timeouts
	DiskSpace   DiskSpace
	Schedule    string // cron expression of five fields, one space apart; "" means never
	Statuses    bool   // post one commit status per target under garnix's old check names
	Pins        map[string]Pin

	// Inline is the value of the key "garnix": the text of a garnix.yaml, padded so that its lines and columns are
	// those of the settings file. nil means that the key is absent. The text is not checked here.
	Inline []byte

	places places
}

// Strategy says when targets are listed.
type Strategy string

// The strategies.
const (
	Auto    Strategy = "auto"    // static if everything is known when generating, else dynamic
	Static  Strategy = "static"  // the workflow lists its targets
	Dynamic Strategy = "dynamic" // the plan job lists them at run time
)

// Cancel says which runs a newer one of the same branch or pull request ends.
type Cancel string

// The choices for superseded runs; garnix ended none. The default branch's are never ended.
const (
	CancelPullRequests Cancel = "pull-requests"
	CancelBranches     Cancel = "branches" // and pushes
	CancelNever        Cancel = "never"
)

// Stale says what becomes of a run whose inputs changed after the workflows were generated.
type Stale string

// The choices for stale inputs.
const (
	StaleFails Stale = "fail" // everything is built, and the run ends red
	StaleWarns Stale = "warn"
	StaleOff   Stale = "off"
)

// Granularity says how targets are spread over jobs.
type Granularity string

// The granularities.
const (
	PerSystem Granularity = "system" // one job per system, or as many as Shards says
	PerTarget Granularity = "target" // one job per target
)

// DiskSpace says what to do about the small disks of hosted Linux runners.
type DiskSpace string

// The choices for disk space.
const (
	KeepSoftware DiskSpace = "keep" // leave the image as it is
	FreeSpace    DiskSpace = "free" // remove preinstalled software before Nix is installed
)

// Names are the names that people see; all differ and none has more than 100 characters.
type Names struct {
	BuildWorkflow   string
	CacheWorkflow   string
	ActionsWorkflow string
	Aggregate       string // the check that a branch protection requires
}

// Files are the base names of the workflows under .github/workflows; all differ, also without regard to case.
type Files struct {
	Build   string
	Cache   string
	Actions string
}

// Minutes is a time limit of a job, 1 to 360: GitHub stops a hosted job after six hours.
type Minutes int

// Timeouts are the time limits of the kinds of jobs.
type Timeouts struct {
	Plan   Minutes
	Build  Minutes // when building stops, 1 to 330; what was built is pushed after it
	Verify Minutes
	Action Minutes // a garnix action; garnix allowed 120
}

// Default returns the settings of an empty file. The caller owns the result.
func Default() *Settings {
	s := &Settings{
		Cache: Cache{
			Backend:     Cachix{NameVariable: defaultNameVariable},
			TokenSecret: "CACHIX_AUTH_TOKEN",
			Upstreams:   []string{"https://cache.nixos.org"},
			PushRefs:    []Pattern{"**"},
		},
		Runners: map[flake.System]Runner{
			flake.X8664Linux:    {"ubuntu-24.04"},
			flake.I686Linux:     {"ubuntu-24.04"},
			flake.AArch64Linux:  {"ubuntu-24.04-arm"},
			flake.AArch64Darwin: {"macos-26"},
			flake.X8664Darwin:   {"macos-26"}, // by Rosetta, as garnix did
		},
		PlanRunner: Runner{"ubuntu-24.04"},
		Triggers: Triggers{
			PushBranches: []Pattern{"**"},
			PullRequests: Forks,
			MergeGroup:   true,
			Dispatch:     true,
		},
		Cancel:      CancelPullRequests,
		Stale:       StaleFails,
		Strategy:    Auto,
		Granularity: PerSystem,
		Shards:      map[flake.System]int{},
		Nix:         Nix{Installer: InstallNixAction},
		Names: Names{
			BuildWorkflow:   "Nix Build Cache",
			CacheWorkflow:   "Cache Only",
			ActionsWorkflow: "Garnix Actions",
			Aggregate:       "All Garnix checks",
		},
		Files: Files{
			Build:   "nix-build-cache.yml",
			Cache:   "cache-only.yml",
			Actions: "garnix-actions.yml",
		},
		Timeouts:  Timeouts{Plan: 30, Build: 330, Verify: 60, Action: 150},
		DiskSpace: KeepSoftware,
		Schedule:  "23 4 * * *",
		Pins:      map[string]Pin{},
	}
	for _, system := range flake.Systems() {
		s.Shards[system] = 1
	}
	return s
}

// At returns where the file gives the setting of a dotted key path ("cache.url", "runners.x86_64-linux",
// "cache.push-refs.0", "pins.owner/repo"): its value, or its key if the value is a list or mapping. A setting that is
// not given stands where the nearest mapping around it does, and at last for the file, without a line.
func (s *Settings) At(path string) diag.Pos { return s.places.at(path) }

// Given reports whether the file gives the setting of a dotted key path, as opposed to a default.
func (s *Settings) Given(path string) bool {
	_, ok := s.places.given[path]
	return ok
}

// places remembers where settings stand in the file.
type places struct {
	file  string
	given map[string]diag.Pos // by dotted key path
}

func (p places) at(path string) diag.Pos {
	for path != "" {
		if pos, ok := p.given[path]; ok {
			return pos
		}
		path = path[:max(strings.LastIndexByte(path, '.'), 0)]
	}
	return diag.Pos{File: p.file}
}

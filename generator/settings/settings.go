// Package settings reads .github/garnix2gha/config.yaml: everything about the generated workflows that garnix.yaml
// could not say. The file is strict, because a setting that is quietly ignored costs more than one that is refused:
// unknown and repeated keys, wrong types and values that nothing would read are errors, all reported at once.
package settings

import (
	"strings"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

// Settings is the file with every value checked and defaulted.
type Settings struct {
	Cache Cache `json:"cache"`

	// Runners has every system of flake.Systems. A runner is what runs-on asks for: one label, or several that it must all
	// have, and never none.
	Runners     map[flake.System]Texts `json:"runners"`
	PlanRunner  Texts                  `json:"plan-runner"` // for the jobs that run on Linux whatever is built
	Triggers    Triggers               `json:"triggers"`
	Cancel      string                 `json:"cancel"` // the runs that a newer one of the same branch or pull request ends
	Stale       string                 `json:"stale"`  // what becomes of a run whose inputs changed after the workflows were generated
	Strategy    string                 `json:"strategy"`
	Granularity string                 `json:"granularity"` // how targets are spread over jobs
	Shards      map[flake.System]int   `json:"shards"`      // has every system of flake.Systems; 1 to 256
	Nix         Nix                    `json:"nix"`
	Names       Names                  `json:"names"`
	Files       Files                  `json:"files"`
	Timeouts    Timeouts               `json:"timeouts"`
	DiskSpace   string                 `json:"disk-space"`
	Schedule    string                 `json:"schedule"` // cron expression of five fields, one space apart; "" means never
	Statuses    bool                   `json:"statuses"` // post one commit status per target under garnix's old check names
	Pins        map[string]Pin         `json:"pins"`

	places places
}

// Cache is where builds go and where they are looked for. What its backend does not use is empty.
type Cache struct {
	Backend string `json:"backend"` // Cachix, NixCopy or Attic

	// Name is that of a Cachix cache, "" if the repository variable NameVariable holds it, or of one on an attic server.
	Name         string `json:"name"`
	NameVariable string `json:"name-variable"`

	// URL is the substituter that is read, without a final slash. It is "" only for a Cachix cache whose name is in
	// a variable, and then known when the workflow runs.
	URL        string   `json:"url"`
	PushURL    string   `json:"push-url"`   // what NixCopy writes
	Server     string   `json:"server"`     // of attic, without a final slash
	PublicKeys Texts    `json:"public-key"` // "name-1:base64", as trusted-public-keys has them; empty means not given
	Private    bool     `json:"private"`    // reading needs TokenSecret
	Upstreams  []string `json:"upstreams"`  // substituters whose paths count as present, without final slashes
	PushRefs   []string `json:"push-refs"`  // patterns of the branches whose pushes write to the cache; never empty

	// TokenSecret names the Actions secret with the token of the cache; "" means that there is none, which only NixCopy
	// can do without.
	TokenSecret string `json:"token-secret"`

	// SigningKeySecret names the secret with the key that signs what is pushed; "" means that Cachix or attic signs, and
	// that what NixCopy writes is unsigned.
	SigningKeySecret string `json:"signing-key-secret"`

	// The secrets with the credentials of an S3 store; both are "" for another one, and where the runner has its own.
	AccessKeySecret string `json:"access-key-secret"`
	SecretKeySecret string `json:"secret-key-secret"`
}

// Texts is a list that the file may give as one text.
type Texts []string

// Triggers say what starts the build workflow. A pattern is a branch filter as GitHub reads it, and excludes nothing.
type Triggers struct {
	PushBranches []string `json:"push-branches"` // patterns; never empty
	PullRequests string   `json:"pull-requests"`
	MergeGroup   bool     `json:"merge-group"`
	Dispatch     bool     `json:"dispatch"` // by hand and by bots
}

// Nix is how Nix comes onto a runner and how it is configured.
type Nix struct {
	Installer         string   `json:"installer"`
	InstallURL        string   `json:"install-url"`         // of the installer script that InstallNixAction runs; "" means its default
	ExtraConfig       []string `json:"extra-config"`        // lines of nix.conf, without blank lines and comments
	ExtraFeatures     []string `json:"extra-features"`      // experimental, on top of those that garnix had
	AccessTokenSecret string   `json:"access-token-secret"` // the secret with a token that reads private github inputs; "" means none
}

// The words that this program itself looks for; the schema lists and explains what else these settings may be.
const (
	Cachix  = "cachix" // cache.backend: cachix.org, written by the cachix client
	NixCopy = "nix"    // a store that "nix copy" writes and HTTP reads
	Attic   = "attic"  // an attic server, written by the attic client

	ForkPullRequests = "forks" // triggers.pull-requests
	NoPullRequests   = "none"

	CancelPullRequests = "pull-requests" // cancel
	CancelNever        = "never"

	StaleOff = "off" // stale

	Static  = "static"  // strategy: targets.json lists the targets
	Dynamic = "dynamic" // it has the rules, and every run lists

	PerTarget = "target" // granularity

	FreeSpace = "free" // disk-space

	InstallNixAction     = "cachix" // nix.installer
	DeterminateNixAction = "determinate"
	QuickInstallAction   = "quick"
)

// Names are the names that people see; all differ and none has more than 100 characters.
type Names struct {
	BuildWorkflow   string `json:"build-workflow"`
	CacheWorkflow   string `json:"cache-workflow"`
	ActionsWorkflow string `json:"actions-workflow"`
	Aggregate       string `json:"aggregate"` // the check that a branch protection requires
}

// Files are the base names of the workflows under .github/workflows; all differ, also without regard to case.
type Files struct {
	Build   string `json:"build"`
	Cache   string `json:"cache"`
	Actions string `json:"actions"`
}

// Timeouts are the time limits of the kinds of jobs in minutes, at least 1; GitHub stops a hosted job after 360.
type Timeouts struct {
	Plan   int `json:"plan"`
	Build  int `json:"build"` // when building stops, at most 330: the job ends 30 minutes later
	Verify int `json:"verify"`
	Action int `json:"action"` // a garnix action; garnix allowed 120
}

// Pin is the commit of an action that is used instead of the one this program knows.
type Pin struct {
	SHA     string `json:"sha"`     // 40 lower-case hexadecimal digits
	Version string `json:"version"` // for the comment beside it; "" means none
}

// Default returns the settings of an empty file. The caller owns the result.
func Default() *Settings {
	s, _ := Parse("", nil)
	s.places = places{}
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

// Package config decodes garnix.yaml, or the flake output garnix.config, into exactly what garnix made of it, and
// says with positions what garnix kept silent about: above all which matchers have no effect, and what to do about it.
package config

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

// Config is a decoded configuration. Every default is filled in as garnix did.
type Config struct {
	File           string    // slash path of what was read, of a garnix.yaml or "flake.nix"; "" where there is neither
	Sections       []Section // in order; a mapping under "builds" is the one section 0, and no section builds nothing
	Actions        []Action
	Servers        []Server
	Incrementalize Incrementalize
	FODChecks      bool
	PublishModules bool
	FlakeDir       string // as written, see FlakePath
	FlakeDirPos    diag.Pos
	Keys           []Key // every one met at a level that garnix decoded, in the order in which they were met
}

// Section is one build section: what some include matches and no exclude of the same section does.
type Section struct {
	Pos              diag.Pos
	Include          []Matcher
	IncludeIsDefault bool // no include was written
	Exclude          []Matcher
	Branch           *string // the one that the section is for, compared as it is; nil means every branch and also forks
}

func firstMatch(matchers []Matcher, p flake.AttrPath) int {
	return slices.IndexFunc(matchers, func(m Matcher) bool { return m.Match(p) })
}

// Selects returns the first include that matches p; ok is false if there is none or an exclude matches p too.
func (s Section) Selects(p flake.AttrPath) (by Matcher, ok bool) {
	i := firstMatch(s.Include, p)
	if i < 0 || firstMatch(s.Exclude, p) >= 0 {
		return Matcher{}, false
	}
	return s.Include[i], true
}

// Action is a flake app that garnix ran on every push. Nothing is removed from duplicates.
type Action struct {
	Run              string // the app's name, as written
	RunPos           diag.Pos
	Sandbox          string // "fast-startup", the default, or "shared-resources"
	WithRepoContents bool
}

// Attr returns the attribute path of the action's app: always x86_64-linux (garnix's Build/Action.hs).
func (a Action) Attr() flake.AttrPath {
	return flake.AttrPath{First: "apps", Second: string(flake.X8664Linux), Third: a.Run}
}

// Incrementalize says on which branches garnix gave a build the intermediates of an earlier commit.
type Incrementalize struct {
	Enabled         bool
	ExcludeBranches []string // the exceptions of the object form, which also never applied to forks; nil for a boolean
}

// Server is a machine that garnix hosted.
type Server struct {
	Configuration string // a name in nixosConfigurations
	Deployment    Deployment
}

// Deployment says when a server was deployed and on what.
type Deployment struct {
	Type      string // "on-branch", or "on-pull-request", which has nothing else
	Branch    string
	Machine   string // one of garnix's tiers, by default "i2x4"
	IsPrimary bool
}

// Key is a key met in the configuration. Path is spelled as in messages: "builds.include" where builds is a mapping,
// "builds[0].include" where it is a list.
type Key struct {
	Path string
	Pos  diag.Pos
	Kind KeyKind
}

// KeyKind says who knew a key.
type KeyKind string

// The kinds of keys; garnix ignored all but KeyRead in silence.
const (
	KeyRead    KeyKind = "read"
	KeyFork    KeyKind = "fork"    // only the self-hosted fork of garnix reads it
	KeyHosted  KeyKind = "hosted"  // the hosted service had it at some time, its published source does not
	KeyUnknown KeyKind = "unknown" // nobody reads it
)

// Default returns the configuration of a repository that has none.
func Default() *Config { return defaults("") }

func defaults(file string) *Config {
	pos := diag.Pos{File: file}
	return &Config{
		File:        file,
		Sections:    []Section{{Pos: pos, Include: defaultInclude(file), IncludeIsDefault: true}},
		FlakeDir:    ".",
		FlakeDirPos: pos,
	}
}

// defaultInclude is garnix's defaultIncludeSection.
func defaultInclude(file string) []Matcher {
	texts := []string{
		"*.x86_64-linux.*", "defaultPackage.x86_64-linux", "devShell.x86_64-linux",
		"homeConfigurations.*", "darwinConfigurations.*", "nixosConfigurations.*",
	}
	matchers := make([]Matcher, 0, len(texts))
	for _, text := range texts {
		matchers = append(matchers, newMatcher(text, diag.Pos{File: file}))
	}
	return matchers
}

// FlakePath returns the directory of the flake, clean and relative to the repository root ("." for the root itself).
// ok is false if it lies outside the repository, which garnix refused when it listed the flake and not when it decoded.
// The rule here is lexical: garnix also resolved symbolic links, which only a checkout can show.
func (c *Config) FlakePath() (dir string, ok bool) {
	dir = path.Clean(c.FlakeDir)
	if !fs.ValidPath(dir) || strings.ContainsRune(dir, 0) {
		return "", false
	}
	return dir, true
}

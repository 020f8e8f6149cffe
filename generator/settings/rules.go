package settings

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"garnix2gha/generator/flake"
)

// crossCheck reports what no schema can say: settings that must differ, and what is allowed and yet seldom meant.
func (p *parser) crossCheck(s *Settings) {
	p.distinct(func(a, b string) bool { return a == b }, []named{
		{"names.build-workflow", s.Names.BuildWorkflow},
		{"names.cache-workflow", s.Names.CacheWorkflow},
		{"names.actions-workflow", s.Names.ActionsWorkflow},
		{"names.aggregate", s.Names.Aggregate},
	})
	p.distinct(strings.EqualFold, []named{
		{"files.build", s.Files.Build}, {"files.cache", s.Files.Cache}, {"files.actions", s.Files.Actions},
	})
	p.cache(s.Cache)
	if t := s.Triggers; t.PullRequests == ForkPullRequests && !p.faulty["triggers.pull-requests"] && !slices.Contains(t.PushBranches, "**") {
		p.warn("triggers.push-branches", "unbuilt-pulls", "set triggers.pull-requests to all, or to none if that is meant",
			"a pull request from a branch of this repository that is not named here is built by nothing, so its required check never reports")
	}
	for _, system := range flake.Systems() {
		p.runner("runners."+string(system), s.Runners[system], s.Triggers)
	}
	p.runner("plan-runner", s.PlanRunner, s.Triggers)
	if s.Granularity == PerTarget && slices.ContainsFunc(flake.Systems(), func(system flake.System) bool { return s.Shards[system] > 1 }) {
		p.warn("shards", "unused-setting", "remove one of the two", "shards has no effect with granularity: target, which gives every target a job")
	}
}

func (p *parser) warn(path, code, hint, format string, args ...any) {
	p.diags.Warnf(p.places.at(path), code, hint, format, args...)
}

type named struct{ path, text string }

// distinct refuses settings that are the same, at one that the file gives.
func (p *parser) distinct(same func(a, b string) bool, settings []named) {
	for i, second := range settings {
		for _, first := range settings[:i] {
			at, other := second.path, first.path
			if p.faulty[at] || p.faulty[other] || !same(second.text, first.text) {
				continue
			}
			if _, ok := p.places.given[at]; !ok {
				at, other = other, at
			}
			p.complain(at, complaint{code: "duplicate-value", message: "is the same as " + other, hint: "give each its own"})
		}
	}
}

var dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// cache looks for what makes a cache of no use.
func (p *parser) cache(c Cache) {
	switch c.Backend {
	case Cachix:
		if c.Name != "" && !dnsLabel.MatchString(c.Name) {
			p.warn("cache.name", "cache-name", "look it up at app.cachix.org",
				"cache.name does not look like a Cachix cache: names have lower-case letters, digits and hyphens")
		}
	case NixCopy:
		if len(c.PublicKeys) == 0 && !p.faulty["cache.public-key"] {
			p.warn("cache", "public-key-missing", `add public-key, which "nix key convert-secret-to-public" prints`,
				"without cache.public-key Nix takes nothing from the cache")
		}
	case Attic:
		if c.Name == "" && c.URL != "" {
			p.complain("cache.name", complaint{code: "missing-key", message: "is needed: cache.url does not end in it",
				hint: "give the name of the cache on the attic server"})
		}
	}
}

var retired = regexp.MustCompile(`^(macos-1[0-4]|ubuntu-(16|18|20)\.04)`)

// runner warns of labels that would wait for ever or run a stranger's code.
func (p *parser) runner(path string, runner Texts, triggers Triggers) {
	for i, text := range runner {
		at := path + "." + strconv.Itoa(i) // where a list has it; else the path itself is found
		lower := strings.ToLower(text)
		if retired.MatchString(lower) {
			p.warn(at, "retired-runner", "use ubuntu-24.04, ubuntu-24.04-arm or macos-26", "GitHub no longer has %s runners: a job would wait for ever", text)
		}
		if lower == "self-hosted" && triggers.PullRequests != NoPullRequests {
			p.warn(at, "self-hosted-runner", "use hosted runners for them, or set triggers.pull-requests to none",
				"pull requests would run a stranger's code on your own machine (%s)", path)
		}
	}
}

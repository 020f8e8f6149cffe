package settings

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/robfig/cron/v3"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

// crossCheck reports what no schema can say: settings that must differ, and what is allowed and yet seldom meant.
func (p *parser) crossCheck(s *Settings) {
	p.schedule(s.Schedule)
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
	for _, system := range flake.Systems() {
		p.runner("runners."+string(system), s.Runners[system], system, s.Triggers)
	}
	p.runner("plan-runner", s.PlanRunner, "", s.Triggers)
	if s.Granularity == PerTarget && slices.ContainsFunc(flake.Systems(), func(system flake.System) bool { return s.Shards[system] > 1 }) {
		p.warn("shards", "unused-setting", "remove one of the two", "shards has no effect with granularity: target, which gives every target a job")
	}
}

// warn reports a warning where the setting of the path stands.
func (p *parser) warn(path, code, hint, format string, args ...any) {
	p.diags.Warnf(p.places.at(path), code, hint, format, args...)
}

// named is a setting by its path and text.
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
	switch b := c.Backend.(type) {
	case Cachix:
		if b.Name != "" && !dnsLabel.MatchString(b.Name) {
			p.warn("cache.name", "cache-name", "look it up at app.cachix.org",
				"cache.name does not look like a Cachix cache: names have lower-case letters, digits and hyphens")
		}
	case Store:
		if len(c.PublicKeys) == 0 && !p.faulty["cache.public-key"] {
			p.warn("cache", "public-key-missing", `add public-key, which "nix key convert-secret-to-public" prints`,
				"without cache.public-key Nix takes nothing from the cache")
		}
	case Attic:
		if b.Name == "" && c.URL != "" {
			p.complain("cache.name", complaint{code: "missing-key", message: "is needed: cache.url does not end in it",
				hint: "give the name of the cache on the attic server"})
		}
	}
}

var hostedLabel = regexp.MustCompile(`^(ubuntu|macos|windows)-(?:latest|slim|[0-9][0-9.]*)(-arm|-intel|-large|-xlarge)?$`)

// runner warns of labels that would wait for ever, build nothing or run a stranger's code. Helper jobs, which any Linux
// does, have no system.
func (p *parser) runner(path string, runner Runner, system flake.System, triggers Triggers) {
	for i, text := range runner {
		at := path + "." + strconv.Itoa(i) // where a list has it; else the path itself is found
		lower := strings.ToLower(text)
		if instead := replacement(lower); instead != "" {
			p.warn(at, "retired-runner", "use "+instead, "GitHub no longer has %s runners: a job would wait for ever", text)
		}
		if lower == "self-hosted" && triggers.PullRequests != None {
			p.warn(at, "self-hosted-runner", "use hosted runners for them, or set triggers.pull-requests to none",
				"pull requests would run a stranger's code on your own machine (%s)", path)
		}
		if systems := hostedSystems(lower); systems != nil && !slices.Contains(systems, system) {
			p.warn(at, "runner-system", "use a label of the right kind", "%s does not run what %s is for", text, path)
		}
	}
}

// replacement returns the label to use instead of a retired one, or "".
func replacement(label string) string {
	for _, image := range []string{"macos-10", "macos-11", "macos-12", "macos-13", "macos-14"} {
		if strings.HasPrefix(label, image) {
			return "macos-26"
		}
	}
	for _, image := range []string{"ubuntu-16.04", "ubuntu-18.04", "ubuntu-20.04"} {
		if strings.HasPrefix(label, image) {
			return "ubuntu-24.04"
		}
	}
	return ""
}

// hostedSystems returns what one of GitHub's own runners builds without emulation ("" is a helper job), or nil for
// another label. Apple's arm64 images run x86_64-darwin by Rosetta.
func hostedSystems(label string) []flake.System {
	found := hostedLabel.FindStringSubmatch(label)
	if found == nil {
		return nil
	}
	switch found[1] + found[2] {
	case "ubuntu":
		return []flake.System{flake.X8664Linux, flake.I686Linux, ""}
	case "ubuntu-arm":
		return []flake.System{flake.AArch64Linux, ""}
	case "macos", "macos-xlarge":
		return []flake.System{flake.AArch64Darwin, flake.X8664Darwin}
	case "macos-intel", "macos-large":
		return []flake.System{flake.X8664Darwin}
	}
	return []flake.System{}
}

// schedule accepts POSIX cron as GitHub does: no @daily, no seconds, no Sunday as 7. The library reads more.
func (p *parser) schedule(text string) {
	c := complaint{code: "bad-schedule", hint: `for example "23 4 * * *" for 04:23 UTC every day, or off`}
	kinds := []struct {
		name  string
		field cron.ParseOption
	}{
		{"minute from 0 to 59", cron.Minute}, {"hour from 0 to 23", cron.Hour}, {"day of the month from 1 to 31", cron.Dom},
		{"month from 1 to 12", cron.Month}, {"day of the week from 0 to 6", cron.Dow},
	}
	for i, field := range strings.Fields(text) {
		times, err := cron.NewParser(kinds[i].field).Parse(field)
		if err != nil || !cronItems.MatchString(field) {
			c.message = fmt.Sprintf("has a %s, not %s", kinds[i].name, diag.Excerpt(field))
			p.complain("schedule", c)
		} else if times, ok := times.(*cron.SpecSchedule); ok && i == 0 && tooOften(times.Minute) {
			c.message = "must not run more often than every five minutes, which GitHub does not"
			p.complain("schedule", c)
		}
	}
}

var cronItems = regexp.MustCompile(`^(\*|\w+(-\w+)?)(/\d+)?(,(\*|\w+(-\w+)?)(/\d+)?)*$`)

// tooOften reports minutes of one hour, a bit each, less than five apart.
func tooOften(minutes uint64) bool {
	for apart := 1; apart < 5; apart++ {
		if minutes&(minutes>>apart)&(1<<60-1) != 0 {
			return true
		}
	}
	return false
}

package settings

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/flake"
)

// Runner is what runs-on asks for: one label, or several that a runner must all have. It is never empty.
type Runner []string

var (
	label       = regexp.MustCompile(`^[A-Za-z0-9._-]{1,256}$`)
	hostedLabel = regexp.MustCompile(`^(ubuntu|macos|windows)-(?:latest|slim|[0-9][0-9.]*)(-arm|-intel|-large|-xlarge)?$`)
)

func checkLabel(text string) *problem {
	if !label.MatchString(text) {
		return &problem{code: "bad-value", hint: `for example "ubuntu-24.04"`, message: "must be a runner label of letters, digits, dots, underscores and hyphens"}
	}
	return nil
}

func (p *parser) runner(v value, dst *Runner) {
	if labels, ok := p.someTexts(v, true, "name a label", checkLabel); ok {
		*dst = labels
	}
}

func (p *parser) runners(v value, dst map[flake.System]Runner) {
	p.mapping(v, perSystem(func(v value, system flake.System) {
		runner := dst[system]
		p.runner(v, &runner)
		dst[system] = runner
	}))
}

// perSystem makes fields of garnix's systems.
func perSystem(read func(value, flake.System)) fields {
	known := fields{}
	for _, system := range flake.Systems() {
		known[string(system)] = func(v value) { read(v, system) }
	}
	return known
}

// shards reads one number for all systems, or one per system.
func (p *parser) shards(v value, dst map[flake.System]int) {
	const most = 256 // jobs in a matrix
	if v.node.Kind == yaml.ScalarNode {
		n := 1
		p.integer(v, &n, 1, most)
		for system := range dst {
			dst[system] = n
		}
		return
	}
	p.mapping(v, perSystem(func(v value, system flake.System) {
		n := dst[system]
		p.integer(v, &n, 1, most)
		dst[system] = n
	}))
}

// checkShards warns of shards that nothing would read.
func (p *parser) checkShards(s *Settings) {
	if s.Granularity != PerTarget {
		return
	}
	for _, n := range s.Shards {
		if n > 1 {
			p.warn("shards", "unused-setting", "remove one of the two", "shards has no effect with granularity: target, which gives every target a job")
			return
		}
	}
}

// checkRunners warns of labels that would wait for ever, build nothing or run a stranger's code.
func (p *parser) checkRunners(s *Settings) {
	for _, system := range flake.Systems() {
		p.checkRunner("runners."+string(system), s.Runners[system], system, s.Triggers)
	}
	p.checkRunner("plan-runner", s.PlanRunner, "", s.Triggers)
}

// checkRunner has no system for helper jobs, which any Linux does.
func (p *parser) checkRunner(path string, runner Runner, system flake.System, triggers Triggers) {
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

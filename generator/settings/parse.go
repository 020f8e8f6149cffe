package settings

import (
	"strings"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
)

// Parse reads the settings file; file is its path for diagnostics. An empty file and one of comments only give
// Default. With errors the settings are nil; warnings come with settings.
func Parse(file string, src []byte) (*Settings, diag.List) {
	src = trimBOM(src)
	p := &parser{
		places: places{file: file, given: map[string]diag.Pos{}},
		faulty: map[string]bool{},
	}
	s := Default()
	if root := p.document(src); root != nil {
		p.settings(s, root, src)
	}
	diags := p.diags.Sorted()
	if diags.HasErrors() {
		return nil, diags
	}
	s.places = p.places
	return s, diags
}

func (p *parser) settings(s *Settings, root *yaml.Node, src []byte) {
	p.refuseAliases(root)
	p.mapping(value{node: root}, fields{
		"cache":       func(v value) { p.cache(v, &s.Cache) },
		"runners":     func(v value) { p.runners(v, s.Runners) },
		"plan-runner": func(v value) { p.runner(v, &s.PlanRunner) },
		"triggers":    func(v value) { p.triggers(v, &s.Triggers) },
		"cancel":      func(v value) { choice(p, v, &s.Cancel, CancelPullRequests, CancelBranches, CancelNever) },
		"stale":       func(v value) { choice(p, v, &s.Stale, StaleFails, StaleWarns, StaleOff) },
		"strategy":    func(v value) { choice(p, v, &s.Strategy, Auto, Static, Dynamic) },
		"granularity": func(v value) { choice(p, v, &s.Granularity, PerSystem, PerTarget) },
		"shards":      func(v value) { p.shards(v, s.Shards) },
		"nix":         func(v value) { p.nix(v, &s.Nix) },
		"names":       func(v value) { p.names(v, &s.Names) },
		"files":       func(v value) { p.files(v, &s.Files) },
		"timeouts":    func(v value) { p.timeouts(v, &s.Timeouts) },
		"disk-space":  func(v value) { choice(p, v, &s.DiskSpace, KeepSoftware, FreeSpace) },
		"schedule":    func(v value) { p.schedule(v, &s.Schedule) },
		"statuses":    func(v value) { p.boolean(v, &s.Statuses) },
		"pins":        func(v value) { p.pins(v, s.Pins) },
		inlineKey:     func(v value) { s.Inline = p.inline(v, root, src) },
	})
	p.checkTriggers(s.Triggers)
	p.checkRunners(s)
	p.checkShards(s)
	p.checkDistinct(namePaths(s.Names), func(a, b string) bool { return a == b })
	p.checkDistinct(filePaths(s.Files), strings.EqualFold)
}

func (p *parser) timeouts(v value, t *Timeouts) {
	minutes := func(dst *Minutes, most int) func(value) {
		return func(v value) {
			n := int(*dst)
			p.integer(v, &n, 1, most)
			*dst = Minutes(n)
		}
	}
	p.mapping(v, fields{
		"plan":   minutes(&t.Plan, 360),
		"build":  minutes(&t.Build, 330),
		"verify": minutes(&t.Verify, 360),
		"action": minutes(&t.Action, 360),
	})
}

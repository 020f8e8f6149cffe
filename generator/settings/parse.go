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
		p.settings(s, root)
	}
	diags := p.diags.Sorted()
	if diags.HasErrors() {
		return nil, diags
	}
	s.places = p.places
	return s, diags
}

func (p *parser) settings(s *Settings, root *yaml.Node) {
	p.refuseAliases(root)
	p.mapping(value{node: root}, fields{
		"cache":       func(v value) { p.cache(v, &s.Cache) },
		"runners":     func(v value) { p.runners(v, s.Runners) },
		"plan-runner": func(v value) { p.runner(v, &s.PlanRunner) },
		"triggers":    func(v value) { p.triggers(v, &s.Triggers) },
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
	})
	p.checkTriggers(s.Triggers)
	p.checkRunners(s)
	p.checkShards(s)
	p.checkDistinct(namePaths(s.Names), func(a, b string) bool { return a == b })
	p.checkDistinct(filePaths(s.Files), strings.EqualFold)
}

func (p *parser) timeouts(v value, t *Timeouts) {
	minutes := func(dst *Minutes) func(value) {
		return func(v value) {
			n := int(*dst)
			p.integer(v, &n, 1, 360)
			*dst = Minutes(n)
		}
	}
	p.mapping(v, fields{
		"plan":   minutes(&t.Plan),
		"build":  minutes(&t.Build),
		"verify": minutes(&t.Verify),
		"action": minutes(&t.Action),
	})
}

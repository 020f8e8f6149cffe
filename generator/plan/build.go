package plan

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/settings"
	"garnix2gha/generator/target"
)

// Input is what the inputs mean when workflows are generated.
type Input struct {
	Config    *config.Config
	Settings  *settings.Settings
	Lock      *flake.Lock       // nil when the flake's outputs are not known
	Selection target.Selection  // over every branch
	Inputs    map[string]string // digest by path of the files that a run can compare
	Version   string            // of this program
	Foreign   map[string][]byte // the repository's other workflows by path
}

// pushMinutes are left of a build job's time for the push when building has to stop.
const pushMinutes = 30

// New decides everything. With errors the plan is not to be rendered.
func New(in Input) (*Plan, diag.List) {
	var diags diag.List
	strategy := choose(in, &diags)
	s := in.Settings
	dir, _ := in.Config.FlakePath() // target.Select refused one outside
	spelled(&diags, in.Config.FlakeDirPos, "flakeDir", dir)
	p := &Plan{
		Common: Common{
			Files:    s.Files,
			Names:    s.Names,
			Triggers: s.Triggers,
			Uses: map[string]string{
				"checkout": pin(s, "actions/checkout"),
				"nix":      pin(s, installers()[s.Nix.Installer].action),
				"upload":   pin(s, "actions/upload-artifact"),
				"download": pin(s, "actions/download-artifact"),
			},
			Nix:    install(s),
			Helper: label(s.PlanRunner),
			Store:  store(s.Cache),
			Sparse: sparse(in, &diags),
		},
		Strategy: strategy,
		Input:    in,
	}
	// A configuration of dead matchers asks for something, too: its check was green with garnix, and stays so.
	if slices.ContainsFunc(in.Config.Sections, func(s config.Section) bool { return len(s.Include) > 0 }) {
		p.Build = &Build{
			Cancel: s.Cancel, FreeDisk: s.DiskSpace == settings.FreeSpace, Statuses: s.Statuses, Minutes: s.Timeouts, Schedule: s.Schedule,
		}
		p.Build.Minutes.Build += pushMinutes
	}
	p.Actions = actions(in, &diags)
	p.Manifest = manifest(p, dir)
	for _, action := range slices.Sorted(maps.Keys(s.Pins)) {
		if _, known := Pins()[action]; !known {
			diags.Warnf(s.At("pins."+action), "unknown-pin", `"garnix2gha pins" shows those in use`, "no generated workflow uses %s", action)
		}
	}
	return p, diags
}

// choose resolves the strategy, auto among them: static if every target can be known now.
func choose(in Input, diags *diag.List) string {
	s := in.Settings
	switch {
	case s.Strategy == settings.Dynamic:
		return settings.Dynamic
	case in.Lock != nil || literal(in):
		return settings.Static
	case s.Strategy == settings.Static:
		diags.Errorf(s.At("strategy"), "static-unknown", `run "garnix2gha snapshot" and commit the lock, or leave the strategy out`,
			"strategy static, but there is a matcher whose targets are known only with a lock")
		return settings.Static
	}
	return settings.Dynamic
}

// literal reports whether every include names one attribute and its system.
func literal(in Input) bool {
	open := func(m config.Matcher) bool {
		path, ok := m.Path()
		return !m.Literal() || ok && path.First.Shape() == flake.Named
	}
	return !slices.ContainsFunc(in.Config.Sections, func(s config.Section) bool { return slices.ContainsFunc(s.Include, open) })
}

// sparse lists the folders of the programs and of a configuration that lies neither there nor in the root.
func sparse(in Input, diags *diag.List) string {
	folders := []string{".github/garnix2gha"}
	for _, name := range slices.Sorted(maps.Keys(in.Inputs)) {
		if folder := path.Dir(name); folder != "." && !slices.Contains(folders, folder) {
			spelled(diags, diag.Pos{File: name}, "the folder", folder)
			folders = append(folders, folder)
		}
	}
	return strings.Join(folders, "\n")
}

// label writes one label as a string and several as a list, as runs-on takes them.
func label(r settings.Texts) any {
	if len(r) == 1 {
		return r[0]
	}
	return []string(r)
}

// runners maps the systems that targets have or may have to labels, and no others: a repository without macOS targets
// shall not see a macOS label. A system whose runner the settings name is one of them.
func runners(in Input, strategy string) map[string]any {
	systems := slices.DeleteFunc(flake.Systems(), func(s flake.System) bool { return !in.Settings.Given("runners." + string(s)) })
	if strategy == settings.Static {
		for _, t := range in.Selection.Targets {
			systems = append(systems, systemsOf(t.Attr.First, t.System)...)
		}
	} else {
		for _, section := range in.Config.Sections {
			for _, m := range section.Include {
				for _, p := range section.Possible(m) {
					systems = append(systems, systemsOf(p.First, p.System())...)
				}
			}
		}
	}
	out := map[string]any{}
	for _, system := range systems {
		if runner, built := in.Settings.Runners[system]; built {
			out[string(system)] = label(runner)
		}
	}
	return out
}

// systemsOf returns the systems that an output may have: its own, or all that are possible where nothing says it ("").
func systemsOf(f flake.Family, system flake.System) []flake.System {
	if system != "" {
		return []flake.System{system}
	}
	return slices.DeleteFunc(flake.Systems(), func(system flake.System) bool {
		return f == "nixosConfigurations" && system.Darwin() || f == "darwinConfigurations" && !system.Darwin()
	})
}

// actions plans the garnix actions, nil when there are none.
func actions(in Input, diags *diag.List) *Actions {
	if len(in.Config.Actions) == 0 {
		return nil
	}
	a := &Actions{Cancel: settings.CancelPullRequests, Minutes: in.Settings.Timeouts.Action}
	if in.Settings.Cancel == settings.CancelNever {
		a.Cancel = settings.CancelNever
	}
	ids, secrets := map[string]bool{}, map[string]string{}
	for _, action := range in.Config.Actions {
		spelled(diags, action.RunPos, "the name of the action", action.Run)
		slug := strange.ReplaceAllString(action.Run, "_")
		id := "action-" + slug
		for n := 2; ids[strings.ToLower(id)]; n++ { // GitHub compares them without regard to case
			id = fmt.Sprintf("action-%s-%d", slug, n)
		}
		ids[strings.ToLower(id)] = true
		key := "GARNIX_ACTION_KEY_" + strings.ToUpper(strings.ReplaceAll(slug, "-", "_")) // the name of a secret has no hyphens
		secret := key
		for n := 2; secrets[secret] != "" && secrets[secret] != action.Run; n++ {
			secret = fmt.Sprintf("%s_%d", key, n)
		}
		secrets[secret] = action.Run
		a.Jobs = append(a.Jobs, Action{ID: id, Name: action.Run, Check: "action " + action.Run, Secret: secret})
	}
	return a
}

// strange is what the id of a job may not hold.
var strange = regexp.MustCompile(`[^A-Za-z0-9_-]`)

// spelled refuses a value that a workflow cannot carry as it stands: GitHub evaluates an expression in any value.
func spelled(diags *diag.List, at diag.Pos, what, value string) {
	switch {
	case strings.Contains(value, "${{"):
		diags.Errorf(at, "expression", "rename it", "%s holds ${{, which GitHub would evaluate", what)
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		diags.Errorf(at, "control-character", "rename it", "%s holds a control character", what)
	}
}

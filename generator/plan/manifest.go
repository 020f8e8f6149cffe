package plan

import (
	"maps"
	"slices"

	"garnix2gha/generator/config"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/settings"
)

// Manifest is targets.json: what is built, for whom and where, as the programs read it, without what has its default.
type Manifest struct {
	About       string               `json:"//"`
	Version     int                  `json:"version"`            // of this format
	Generator   string               `json:"generator"`          // version of the program that wrote it
	Inputs      map[string]string    `json:"inputs"`             // digest by path of every input
	Digest      string               `json:"digest,omitempty"`   // of the rest of the file, without Generator
	Stale       string               `json:"stale"`              // what a change of the inputs does: fail, warn or off
	FlakeDir    string               `json:"flakeDir,omitempty"` // clean slash path below the root
	Targets     map[string]any       `json:"targets,omitzero"`   // by dotted path: true, or a list of the only branches
	Rules       []Rule               `json:"rules,omitempty"`    // in the order of garnix.yaml
	Runners     map[string]any       `json:"runners,omitempty"`  // label, or list of labels, by system
	Granularity string               `json:"granularity,omitempty"`
	Shards      map[string]int       `json:"shards,omitempty"` // jobs by system
	Cache       *ManifestCache       `json:"cache,omitempty"`
	Minutes     map[string]int       `json:"minutes,omitempty"`   // "build": after which building stops; "verify": of the job of Cache Only
	Nix         []string             `json:"nix"`                 // lines of nix.conf
	Quick       bool                 `json:"quick,omitempty"`     // builders run as the user that holds the secrets
	Actions     map[string]RunAction `json:"actions,omitempty"`   // by the id of their job
	Aggregate   string               `json:"aggregate,omitempty"` // name of the check that decides, which no status may have
}

// Rule is a build section.
type Rule struct {
	Branch  *string  `json:"branch,omitempty"`
	Include []string `json:"include"`
	Exclude []string `json:"exclude,omitempty"`
}

// ManifestCache is the binary cache.
type ManifestCache struct {
	Backend    string   `json:"backend"` // cachix, nix or attic
	Name       string   `json:"name,omitempty"`
	Variable   string   `json:"variable,omitempty"` // repository variable that holds the name
	URL        string   `json:"url,omitempty"`      // where it is read; that of Cachix follows from the name
	PushURL    string   `json:"pushUrl,omitempty"`  // nix: where it is written
	Server     string   `json:"server,omitempty"`   // attic
	PublicKeys []string `json:"publicKeys,omitempty"`
	Upstreams  []string `json:"upstreams,omitempty"` // caches whose paths count as present
	Private    bool     `json:"private,omitempty"`
	PushRefs   []string `json:"pushRefs,omitempty"` // patterns of the branches that push
	Secrets    []string `json:"secrets,omitempty"`  // names of the secrets that a push needs, sorted
	Client     string   `json:"client,omitempty"`   // installable of the client
}

// RunAction is a garnix action.
type RunAction struct {
	App      string `json:"app"`
	WithRepo bool   `json:"withRepo"` // it works in the repository, else in an empty folder
}

const about = "What the workflows build, for whom and where, as garnix2gha generate read it from the inputs. " +
	"true: on every branch; an input without a digest is not there."

// manifest says what the programs need to know.
func manifest(p *Plan, dir string) Manifest {
	in, s := p.Input, p.Input.Settings
	m := Manifest{
		About: about, Version: 1, Generator: in.Version, Inputs: in.Inputs, Stale: s.Stale,
		Nix: nixLines(s), Quick: s.Nix.Installer == settings.QuickInstallAction, Actions: map[string]RunAction{},
	}
	if dir != "." {
		m.FlakeDir = dir
	}
	if p.Actions != nil {
		for i, job := range p.Actions.Jobs {
			m.Actions[job.ID] = RunAction{App: job.Name, WithRepo: in.Config.Actions[i].WithRepoContents}
		}
	}
	if p.Build == nil {
		return m
	}
	if p.Strategy == settings.Static {
		m.Targets = map[string]any{}
		for _, t := range in.Selection.Targets {
			m.Targets[t.Attr.String()] = true
			if !t.AnyBranch {
				m.Targets[t.Attr.String()] = t.Branches
			}
		}
	}
	if p.Strategy == settings.Dynamic || in.Lock != nil {
		m.Rules = []Rule{}
		for _, s := range in.Config.Sections {
			m.Rules = append(m.Rules, Rule{Branch: s.Branch, Include: append([]string{}, listing(s.Include)...), Exclude: listing(s.Exclude)})
		}
	}
	m.Runners = runners(in, p.Strategy)
	if s.Granularity == settings.PerTarget {
		m.Granularity = s.Granularity
	}
	m.Shards = map[string]int{}
	for system, n := range s.Shards {
		if _, has := m.Runners[string(system)]; has && n > 1 {
			m.Shards[string(system)] = n
		}
	}
	m.Cache = manifestCache(s.Cache)
	m.Minutes = map[string]int{"build": s.Timeouts.Build, "verify": s.Timeouts.Verify}
	if s.Statuses {
		m.Aggregate = s.Names.Aggregate
	}
	return m
}

func manifestCache(c settings.Cache) *ManifestCache {
	store := store(c)
	out := &ManifestCache{
		Backend: c.Backend, Name: c.Name, Variable: store.Variable, URL: c.URL, PushURL: c.PushURL, Server: c.Server,
		PublicKeys: c.PublicKeys, Upstreams: c.Upstreams, Private: c.Private,
		Secrets: slices.Sorted(maps.Values(store.Push)), Client: client(c.Backend),
	}
	if !slices.Equal(c.PushRefs, []string{"**"}) {
		out.PushRefs = c.PushRefs
	}
	if c.Backend == settings.Cachix && c.URL == settings.CachixURL(c.Name) {
		out.URL = ""
	}
	return out
}

// listing are the matchers that can select from what garnix listed.
func listing(matchers []config.Matcher) (texts []string) {
	for _, m := range matchers {
		if slices.ContainsFunc(flake.Families(), m.CanList) {
			texts = append(texts, m.String())
		}
	}
	return texts
}

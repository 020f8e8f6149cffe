package config

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/document"
)

// level is a kind of mapping: the keys that garnix read there, and what to say about others.
type level struct {
	name     string // for messages: "in a build section"
	under    string // where it stands: `under "builds"`
	hint     string // what to write if the value is no mapping
	keys     []string
	required map[string]string // keys that must be there, with what to do if they are not
	others   map[string]KeyKind
}

// levelOf returns the level of a name.
func levelOf(name string) level {
	all := levels()
	return all[slices.IndexFunc(all, func(l level) bool { return l.name == name })]
}

// levels are all levels, in the order in which a key is looked for.
var levels = sync.OnceValue(func() []level {
	const typeHint, deploymentHint = `add "type: on-branch" or "type: on-pull-request"`, `a deployment has a "type"`
	deploymentKeys := []string{"type", "branch", "machine", "isPrimary"}
	return []level{
		{
			name: "at the top level", under: "at the top level", hint: `garnix.yaml is a mapping with keys such as "builds"`,
			keys: []string{"builds", "incrementalizeBuilds", "actions", "modules", "fodChecks", "flakeDir", "servers"},
			others: map[string]KeyKind{
				"artifacts": KeyFork, "autoCancelSuperseded": KeyFork, "cancelSupersededBuilds": KeyFork,
				"enableGithubOrgAccessTokens": KeyHosted,
			},
		},
		{
			name: "in a build section", under: `under "builds"`, hint: `list the matchers under "include"`,
			keys: []string{"include", "exclude", "branch"},
		},
		{
			name: "in an action", under: `in an item of "actions"`, hint: `an action is written "- {on: push, run: name}"`,
			keys:     []string{"run", "on", "sandboxType", "withRepoContents"},
			required: map[string]string{"run": "name a flake app to run", "on": `add "on: push"`},
			others:   map[string]KeyKind{"githubToken": KeyFork},
		},
		{
			name: "in a server", under: `in an item of "servers"`, hint: `a server has "configuration" and "deployment"`,
			keys:     []string{"configuration", "deployment"},
			required: map[string]string{"configuration": "name one of nixosConfigurations", "deployment": `add "deployment: {type: on-branch, branch: main}"`},
		},
		{
			name: "in a deployment from a branch", under: `in a server's "deployment" of type "on-branch"`, hint: deploymentHint,
			keys: deploymentKeys, required: map[string]string{"branch": "name the branch to deploy from"},
		},
		{name: "in a deployment", hint: deploymentHint, keys: deploymentKeys, required: map[string]string{"type": typeHint}},
		{name: "in a deployment on pull requests", keys: deploymentKeys[:1]},
		{
			name: "in incrementalizeBuilds", under: `under "incrementalizeBuilds"`, keys: []string{"excludeBranches"},
			required: map[string]string{"excludeBranches": `list the branches under "excludeBranches", or write "incrementalizeBuilds: true"`},
		},
		{name: "in modules", under: `under "modules"`, hint: `write "modules: {publish: true}"`, keys: []string{"publish"}},
	}
})

func (l level) kindOf(key string) KeyKind {
	if slices.Contains(l.keys, key) {
		return KeyRead
	}
	return cmp.Or(l.others[key], KeyUnknown)
}

// ignoredKey warns of a key that garnix did not read. An editor's "$schema" is no mistake.
func (d *decoder) ignoredKey(key, value *yaml.Node, kind KeyKind, l level) {
	at, name := d.at(key), diag.Excerpt(key.Value)
	switch {
	case kind == KeyRead:
	case kind == KeyFork:
		d.diags.Warnf(at, "fork-only-key", "remove it; only the self-hosted fork of garnix reads it",
			"hosted garnix never knew the key %s and ignored it", name)
	case kind == KeyHosted:
		d.diags.Warnf(at, "hosted-only-key", "remove it; give CI a token of its own for private flake inputs",
			"key %s was an option of the hosted service only", name)
	case key.Value == "$schema":
		d.diags.Add(diag.Notice, at, "unknown-key", "", "garnix did not read %s; it is for editors", name)
	default:
		d.diags.Warnf(at, "unknown-key", unknownKeyHint(key.Value, value, l), "garnix did not know the key %s %s and ignored it", name, l.name)
	}
}

func unknownKeyHint(key string, value *yaml.Node, l level) string {
	var inside []string
	if value.Kind == yaml.MappingNode {
		for below := range document.Pairs(value) {
			if slices.Contains(l.keys, below.Value) {
				inside = append(inside, below.Value)
			}
		}
	}
	if len(inside) > 0 {
		return fmt.Sprintf("move %s up to where %s stands; as it is, garnix used the default", diag.Enumerate(inside, "and"), diag.Excerpt(key))
	}
	if near := diag.Nearest(key, l.keys); near != "" {
		return fmt.Sprintf("did you mean %q? as it is, garnix used the default", near)
	}
	for _, home := range levels() {
		if slices.Contains(home.keys, key) {
			return fmt.Sprintf("%q means something only %s", key, home.under)
		}
	}
	return "remove it; known here: " + diag.Enumerate(l.keys, "and")
}

package config

import (
	"fmt"
	"slices"

	"garnix2gha/generator/diag"
)

// level is a kind of mapping: the keys that garnix read there, and what to say about others.
type level struct {
	name   string // for messages: "in a build section"
	keys   []string
	fork   []string
	hosted []string
	hint   string // what to write if the value is no mapping
}

func topLevel() level {
	return level{
		name:   "at the top level",
		keys:   []string{"builds", "incrementalizeBuilds", "actions", "modules", "fodChecks", "flakeDir", "servers"},
		fork:   []string{"artifacts", "autoCancelSuperseded", "cancelSupersededBuilds"},
		hosted: []string{"enableGithubOrgAccessTokens"},
		hint:   `garnix.yaml is a mapping with keys such as "builds"`,
	}
}

func sectionLevel() level {
	return level{
		name: "in a build section",
		keys: []string{"include", "exclude", "branch"},
		hint: `list the matchers under "include"`,
	}
}

func actionLevel() level {
	return level{
		name: "in an action",
		keys: []string{"run", "on", "sandboxType", "withRepoContents"},
		fork: []string{"githubToken"},
		hint: `an action is written "- {on: push, run: name}"`,
	}
}

func modulesLevel() level {
	return level{name: "in modules", keys: []string{"publish"}, hint: `write "modules: {publish: true}"`}
}

func incrementalizeLevel() level {
	return level{name: "in incrementalizeBuilds", keys: []string{"excludeBranches"}}
}

func serverLevel() level {
	return level{name: "in a server", keys: []string{"configuration", "deployment"}, hint: `a server has "configuration" and "deployment"`}
}

// deploymentLevel depends on the type: a deployment on pull requests read no other key.
func deploymentLevel(kind DeploymentType) level {
	l := level{name: "in a deployment", keys: []string{"type", "branch", "machine", "isPrimary"}, hint: `a deployment has a "type"`}
	if kind == OnPullRequest {
		l.name, l.keys = "in a deployment on pull requests", l.keys[:1]
	}
	return l
}

func (l level) kindOf(key string) KeyKind {
	switch {
	case slices.Contains(l.keys, key):
		return KeyRead
	case slices.Contains(l.fork, key):
		return KeyFork
	case slices.Contains(l.hosted, key):
		return KeyHosted
	}
	return KeyUnknown
}

// ignoredKey warns of a key that garnix did not read. An editor's "$schema" is no mistake.
func (d *decoder) ignoredKey(f field, kind KeyKind, l level) {
	switch {
	case kind == KeyFork:
		d.diags.Warnf(f.pos, "fork-only-key", "remove it; only the self-hosted fork of garnix reads it",
			"hosted garnix never knew the key %s and ignored it", diag.Excerpt(f.key))
	case kind == KeyHosted:
		d.diags.Warnf(f.pos, "hosted-only-key", "remove it; give CI a token of its own for private flake inputs",
			"key %s was an option of the hosted service only", diag.Excerpt(f.key))
	case f.key == "$schema":
		d.diags.Add(diag.Notice, f.pos, "unknown-key", "", "garnix did not read %s; it is for editors", diag.Excerpt(f.key))
	default:
		d.diags.Warnf(f.pos, "unknown-key", unknownKeyHint(f.key, l), "garnix did not know the key %s %s and ignored it", diag.Excerpt(f.key), l.name)
	}
}

func unknownKeyHint(key string, l level) string {
	if near := diag.Nearest(key, l.keys); near != "" {
		return fmt.Sprintf("did you mean %q? as it is, garnix used the default", near)
	}
	homes := []struct {
		level
		under string
	}{
		{level: topLevel(), under: "at the top level"},
		{level: sectionLevel(), under: `under "builds"`},
		{level: actionLevel(), under: `in an item of "actions"`},
		{level: serverLevel(), under: `in an item of "servers"`},
		{level: deploymentLevel(OnBranch), under: `in a server's "deployment" of type "on-branch"`},
		{level: incrementalizeLevel(), under: `under "incrementalizeBuilds"`},
		{level: modulesLevel(), under: `under "modules"`},
	}
	for _, home := range homes {
		if slices.Contains(home.keys, key) {
			return fmt.Sprintf("%q means something only %s", key, home.under)
		}
	}
	return "remove it; known here: " + enumerate(l.keys)
}

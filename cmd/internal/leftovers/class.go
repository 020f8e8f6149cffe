package leftovers

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// class is what a file is for, as far as a mention of garnix in it is concerned.
type class int

const (
	classOther class = iota
	classConfig
	classLock
	classNix
	classNixConf
	classNetrc
	classMarkdown
	classHTML
	classOrg
	classProse
	classPipeline // CI definitions: GitHub workflows and actions, and those of other services
	classScript   // shell, containers, task runners
	classAutomerge
	classProtection
)

// classify goes by path, and by content only where the path leaves it open. low is the lowered content.
func classify(name string, low []byte) class {
	name = strings.ToLower(name)
	base, ext := path.Base(name), path.Ext(name)
	switch {
	case isConfigName(name):
		return classConfig
	case base == "flake.lock":
		return classLock
	case isAutomergeName(name):
		return classAutomerge
	case ext == ".nix":
		return classNix
	case strings.HasSuffix(base, "nix.conf"), base == "nix.custom.conf", ext == ".conf" && strings.Contains(name, "nix.conf.d/"):
		return classNixConf
	case strings.TrimLeft(base, "._") == "netrc", ext == ".netrc":
		return classNetrc
	case strings.HasPrefix(name, ".github/settings."), strings.HasPrefix(name, ".github/rulesets/"):
		return classProtection
	case isPipelineName(name):
		return classPipeline
	case slices.Contains([]string{".tf", ".tofu", ".json", ".yml", ".yaml"}, ext) && bytes.Contains(low, []byte("required_status_check")):
		return classProtection
	case isScriptName(base, ext), bytes.HasPrefix(low, []byte("#!")), strings.Contains("/"+name, "/.devcontainer"):
		return classScript
	}
	switch ext {
	case ".md", ".markdown", ".mdx", ".mkd":
		return classMarkdown
	case ".html", ".htm":
		return classHTML
	case ".org":
		return classOrg
	case ".rst", ".adoc", ".asciidoc", ".txt", ".tex", ".typ":
		return classProse
	case "":
		if slices.Contains([]string{"readme", "changelog", "contributing", "news"}, base) {
			return classProse
		}
	}
	return classOther
}

// isConfigName knows garnix's configuration, and the spelling that garnix never read.
func isConfigName(name string) bool {
	base := strings.ToLower(path.Base(name))
	return base == "garnix.yaml" || base == "garnix.yml"
}

func isAutomergeName(name string) bool {
	switch strings.TrimPrefix(name, ".github/") {
	case ".mergify.yml", ".mergify.yaml", ".mergify/config.yml", "mergify.yml", "mergify.yaml", "dependabot.yml", "dependabot.yaml",
		"renovate.json", "renovate.json5", ".renovaterc", ".renovaterc.json", ".renovaterc.json5", "bors.toml", ".kodiak.toml",
		".bulldozer.yml", ".gitlab/renovate.json", ".gitlab/renovate.json5", "auto-merge.yml", "auto-merge.yaml":
		return true
	}
	return false
}

func isPipelineName(name string) bool {
	if !isYAML(name) {
		return path.Base(name) == "jenkinsfile"
	}
	for _, folder := range []string{".github/", ".forgejo/", ".gitea/", ".circleci/", ".woodpecker/", ".buildkite/", ".gitlab/", ".builds/"} {
		if strings.HasPrefix(name, folder) {
			return true
		}
	}
	switch path.Base(name) {
	case "action.yml", "action.yaml", ".gitlab-ci.yml", ".woodpecker.yml", ".travis.yml", ".build.yml", "azure-pipelines.yml", ".drone.yml":
		return true
	}
	return false
}

func isScriptName(base, ext string) bool {
	switch ext {
	case ".sh", ".bash", ".zsh", ".fish", ".nu", ".ps1", ".mk", ".just", ".dockerfile":
		return true
	}
	switch base {
	case "makefile", "gnumakefile", "justfile", ".justfile", ".envrc", ".profile", ".bashrc", ".zshrc", "taskfile.yml", "compose.yml", "docker-compose.yml":
		return true
	}
	return strings.HasPrefix(base, "dockerfile") || strings.HasPrefix(base, "containerfile")
}

func isYAML(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".yml" || ext == ".yaml"
}

// isOwn knows what garnix2gha wrote: its folder, and the workflows that say so in their first comment.
func isOwn(name string, low []byte) bool {
	if strings.HasPrefix(name, ".github/garnix2gha/") {
		return true
	}
	if !strings.HasPrefix(name, ".github/workflows/") {
		return false
	}
	for line := range bytes.Lines(low) {
		line = bytes.TrimSpace(line)
		switch {
		case len(line) > 0 && line[0] != '#':
			return false
		case bytes.Contains(line, []byte("generated")) && bytes.Contains(line, []byte("garnix2gha")):
			return true
		}
	}
	return false
}

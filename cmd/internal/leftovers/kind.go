package leftovers

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// The expressions are for lowered text.
var (
	cacheHost     = []byte("cache.garnix.io")
	cacheKeyStart = []byte("cache.garnix.io:")
	schemaText    = regexp.MustCompile(`garnix\.io/\S*schema|yaml-language-server.*garnix|\$schema.*garnix`)
	badgeText     = regexp.MustCompile(`garnix\.io(?:/|%2f)api(?:/|%2f)badges|(?:shields\.io|badgen\.net)/\S*garnix`)
	netrcText     = regexp.MustCompile(`\bmachine\s+["']?cache\.garnix\.io`)
	confText      = regexp.MustCompile(`\b(?:substituters|public-keys|binary-caches)\s*=`)
	// Check names and app slug: the ones garnix reported to GitHub.
	checkText = regexp.MustCompile(`all garnix checks|garnix module publish|\bgarnix-ci\b`)
	// Programs and interfaces by which a workflow or script waits for checks.
	waitText  = regexp.MustCompile(`wait-on-check|wait-for-check|check[-_]runs?\b|check[-_]suites?\b|statuscheckrollup|gh pr checks|workflow[-_]conclusion`)
	waitLine  = regexp.MustCompile(`wait|check|status|\bapp\b|slug|context|conclusion`)
	inputText = regexp.MustCompile(`\bgarnix-io/|\binputs\.[\w'-]*garnix|\bgarnix-(?:lib|modules|incrementalize)\b`)
	appText   = regexp.MustCompile(`integration_id|app_id|app_slug`)
)

// kind judges a line that no splice touches; at is the offset of its first mention.
func (d *document) kind(line, at int) Kind {
	low := d.lowText(line)
	namesCache := bytes.Contains(low, cacheHost)
	switch {
	case schemaText.Match(low):
		return KindSchema
	case d.class == classConfig:
		return KindConfigFile
	case d.class == classLock:
		return KindFlakeInput
	case badgeText.Match(low):
		return KindBadge
	case d.class == classNetrc, netrcText.Match(low):
		return KindNetrc
	case d.class == classAutomerge:
		return KindAutomerge
	case d.class == classProtection:
		return KindProtection
	case d.class == classNix:
		return d.nixKind(low, at)
	case d.class == classPipeline, d.class == classScript:
		return d.stepKind(low, namesCache)
	case d.class == classNixConf:
		return KindNixConf
	case slices.Contains([]class{classMarkdown, classHTML, classOrg, classProse}, d.class):
		return KindProse
	case confText.Match(low) && namesCache:
		return KindNixConf
	}
	return KindOther
}

func (d *document) stepKind(low []byte, namesCache bool) Kind {
	trimmed := bytes.TrimSpace(low)
	switch {
	case bytes.HasPrefix(trimmed, []byte("#")) && !bytes.HasPrefix(trimmed, []byte("#!")) && !namesCache:
		return KindOther
	case confLine.Match(low):
		return KindNixConf
	case namesCache, bytes.Contains(low, []byte("garnix-io/")):
		return KindStep
	case checkText.Match(low), d.waits && waitLine.Match(low):
		return KindCheckWait
	}
	return KindOther
}

// nixKind goes by the attribute that is being defined, then by the text.
func (d *document) nixKind(low []byte, at int) Kind {
	names, comment := d.nix.context(at)
	setting := slices.IndexFunc(names, isSetting)
	has := func(name string) bool { return slices.Contains(names, name) }
	isKey := bytes.Contains(low, cacheKeyStart)
	switch {
	case comment:
		return KindOther
	case has("required_status_checks"):
		return KindProtection
	case len(names) > 0 && names[0] == "inputs", inputText.Match(low):
		return KindFlakeInput
	case configOutput(names):
		return KindConfigOutput
	case has("nixConfig") && (setting >= 0 && isKeySetting(names[setting]) || isKey):
		return KindFlakeKey
	case has("nixConfig") && (setting >= 0 || bytes.Contains(low, cacheHost)):
		return KindFlakeSubstituter
	case setting >= 0 && isKeySetting(names[setting]), setting < 0 && isKey && !confText.Match(low):
		return KindModuleKey
	case setting >= 0:
		return KindModuleSubstituter
	case confText.Match(low):
		return KindNixConf
	case bytes.Contains(low, cacheHost):
		return KindModuleSubstituter
	}
	return KindOther
}

// configOutput knows the flake output garnix.config, which garnix preferred to garnix.yaml.
func configOutput(names []string) bool {
	for i := range len(names) - 1 {
		if names[i] == "garnix" && names[i+1] == "config" {
			return true
		}
	}
	return false
}

// satisfied reports whether a rule goes on working because the generated workflows report a check of the name that
// the line asks for. A rule that may be bound to garnix's app does not.
func (d *document) satisfied(line int, k Kind, aggregate string) bool {
	if aggregate == "" || k != KindAutomerge && k != KindProtection || d.pinned {
		return false
	}
	text := string(d.text(line))
	return strings.Contains(text, aggregate) && !mentionsGarnix(strings.ReplaceAll(text, aggregate, ""))
}

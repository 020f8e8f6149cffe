package leftovers

import (
	"bytes"
	"path"
	"strings"
)

const (
	ownMend       = "stays: it is the name or the work of garnix2gha"
	aggregateMend = "stays: the generated workflow reports a check of this name"

	fixCommand      = "garnix2gha leftovers --fix"
	rulesetsCommand = "gh api 'repos/{owner}/{repo}/rulesets?includes_parents=true'"
)

// mend says what to do about a trace, and by which command. empties: Fix without a replacement leaves an empty setting
// of the kind that replaces nix's default.
func (d *document) mend(k Kind, how Remedy, empties bool, line int) (mend, command string) {
	if how != Manual {
		mend = safeMend(k)
		if empties {
			mend += "; without a new one the list stays empty, which turns every cache off: delete the setting then"
		}
		if how == Partly {
			mend += "; what else names garnix on this line is to be changed by hand"
		}
		return mend, fixCommand
	}
	return d.manualMend(k, line)
}

func safeMend(k Kind) string {
	switch k {
	case KindBadge:
		return "remove the badge"
	case KindNetrc:
		return "remove the credentials, and revoke them if they still work anywhere"
	case KindSchema:
		return "remove the comment: the schema is no longer served"
	}
	return "swap in the new cache, or remove it"
}

func (d *document) manualMend(k Kind, line int) (mend, command string) {
	switch k {
	case KindConfigFile:
		return "goes with the file", ""
	case KindConfigOutput:
		return "remove the output garnix.config when the new cache is proven", ""
	case KindFlakeSubstituter, KindFlakeKey, KindModuleSubstituter, KindModuleKey:
		return "put the new cache in its place or remove it; the expression around it is not one that is changed safely", ""
	case KindNixConf:
		if bytes.Contains(d.lowText(line), cacheHost) {
			return "put the new cache's URL and key in its place, or remove it", ""
		}
		return "change or remove the line", ""
	case KindNetrc:
		return "remove the credentials, and revoke them if they still work anywhere", ""
	case KindStep:
		return "name the new cache here, or remove the step", ""
	case KindBadge:
		return "remove the badge", ""
	case KindProse:
		if bytes.Contains(d.lowText(line), cacheHost) {
			return "give the new cache's URL and key instead", ""
		}
		return "reword it", ""
	case KindCheckWait:
		return "garnix's checks never report again: wait for the generated workflow's aggregate check, or remove the step",
			"gh api 'repos/{owner}/{repo}/commits/HEAD/check-runs' --jq '.check_runs[].name'"
	case KindFlakeInput:
		if d.class == classLock {
			return "goes when the input is removed from flake.nix", "nix flake lock"
		}
		return "remove the input and what uses it, then lock again", "nix flake lock"
	case KindSchema:
		return "remove it: the schema is no longer served; garnix2gha prints its own", "garnix2gha schema garnix"
	case KindProtection:
		return "require the generated workflow's aggregate check, from the app GitHub Actions (15368), and no other check of garnix", rulesetsCommand
	case KindAutomerge:
		return "name the generated workflow's aggregate check in the condition", ""
	}
	if d.nix != nil || d.class == classPipeline || d.class == classScript {
		return "change or remove the mention", ""
	}
	return "look at it: remove or reword the mention", ""
}

func configFileMend(name string) (mend, command string) {
	switch {
	case strings.Contains(name, "/"):
		return "remove it: garnix read only the garnix.yaml at the root", shellCommand("git rm --", name)
	case strings.EqualFold(path.Ext(name), ".yml"):
		return "remove it: garnix never read this name", shellCommand("git rm --", name)
	}
	return "keep it until the new cache is proven, then retire it", "garnix2gha retire"
}

// shellCommand quotes a path for the shell; a path that cannot be shown gives no command.
func shellCommand(command, name string) string {
	if visible(name) != name {
		return ""
	}
	return command + " " + shellQuote(name)
}

func shellQuote(s string) string {
	plain := strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/@%+=:,", r))
	}) < 0
	if plain && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

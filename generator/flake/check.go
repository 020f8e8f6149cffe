package flake

import "regexp"

// Check is what a check of garnix reported on.
type Check string

// What garnix reported on. An ActionCheck has a name of everyday words, which others may use as well.
const (
	CommitCheck Check = "commit" // "All Garnix checks", "Evaluate flake.nix"
	TargetCheck Check = "target" // as AttrPath.CheckName returns
	ActionCheck Check = "action" // "action deploy", "deployment web"
)

// GarnixCheck tells by the name of a check what garnix reported on under it; "" is no name of garnix's.
// Source: the check runs of the app garnix-ci.
func GarnixCheck(name string) Check {
	for check, names := range map[Check]string{
		CommitCheck: `^(All Garnix checks|Evaluate flake\.nix|FOD checks|Garnix module publish)$`,
		TargetCheck: `^((package|check|devShell) .+|default (package|devShell)) \[(x86_64|aarch64|i686)-(linux|darwin)\]$|^(nixos|home|darwin)Config .+$`,
		ActionCheck: `^(app|action|deployment|redeployment) .+$`,
	} {
		if regexp.MustCompile(names).MatchString(name) {
			return check
		}
	}
	return ""
}

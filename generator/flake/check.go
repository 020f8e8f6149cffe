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

var (
	commitCheck = regexp.MustCompile(`^(All Garnix checks|Evaluate flake\.nix|FOD checks|Garnix module publish)$`)
	targetCheck = regexp.MustCompile(`^((package|check|devShell) .+|default (package|devShell)) \[(x86_64|aarch64|i686)-(linux|darwin)\]$|^(nixos|home|darwin)Config .+$`)
	actionCheck = regexp.MustCompile(`^(app|action|deployment|redeployment) .+$`)
)

// GarnixCheck tells by the name of a check what garnix reported on under it; "" is no name of garnix's.
// Source: the check runs of the app garnix-ci.
func GarnixCheck(name string) Check {
	switch {
	case commitCheck.MatchString(name):
		return CommitCheck
	case targetCheck.MatchString(name):
		return TargetCheck
	case actionCheck.MatchString(name):
		return ActionCheck
	}
	return ""
}

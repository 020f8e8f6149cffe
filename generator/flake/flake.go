// Package flake holds the nouns of Nix flakes that garnix dealt in: systems, attribute paths, attribute matchers, and
// the lock that lists a flake's outputs.
package flake

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// System is a Nix system, for example "x86_64-linux".
type System string

// The systems garnix built for, and no others (garnix's supportedSystems).
const (
	X8664Linux    System = "x86_64-linux"
	AArch64Darwin System = "aarch64-darwin"
	AArch64Linux  System = "aarch64-linux"
	X8664Darwin   System = "x86_64-darwin"
	I686Linux     System = "i686-linux"
)

// Systems returns the systems garnix listed, in its order.
func Systems() []System {
	return []System{X8664Linux, AArch64Darwin, AArch64Linux, X8664Darwin, I686Linux}
}

// Supported reports whether garnix built for the system.
func (s System) Supported() bool { return slices.Contains(Systems(), s) }

// Darwin reports whether the system is macOS.
func (s System) Darwin() bool { return strings.HasSuffix(string(s), "-darwin") }

// Shape is how the attribute paths of a family look.
type Shape int

// The shapes of the families garnix listed.
const (
	Unlisted  Shape = iota // garnix never looked at the family
	Named                  // fam.name: nixosConfigurations.web
	PerSystem              // fam.system.name: packages.x86_64-linux.hello
	Direct                 // fam.system: devShell.x86_64-linux
)

// Family is the first part of an attribute path, for example "packages".
type Family string

// Families returns the families garnix listed, in its order (GetAttributes.hs).
func Families() []Family {
	return []Family{
		"homeConfigurations", "darwinConfigurations", "nixosConfigurations",
		"packages", "checks", "devShells", "devShell", "defaultPackage",
	}
}

// Shape returns how garnix listed the family.
func (f Family) Shape() Shape {
	switch f {
	case "homeConfigurations", "darwinConfigurations", "nixosConfigurations":
		return Named
	case "packages", "checks", "devShells":
		return PerSystem
	case "devShell", "defaultPackage":
		return Direct
	}
	return Unlisted
}

// Systems returns the systems for which garnix listed the family, in its order: "" alone for one of configurations, which
// it listed as a whole, and none for a family that it never looked at.
func (f Family) Systems() []System {
	switch f.Shape() {
	case Unlisted:
		return nil
	case Named:
		return []System{""}
	}
	return Systems()
}

// Path returns the attribute path of an output; one of a Direct family has no name, and one of configurations no system.
func (f Family) Path(system System, name string) AttrPath {
	switch f.Shape() {
	case Named:
		return AttrPath{First: f, Second: name}
	case Direct:
		return AttrPath{First: f, Second: string(system)}
	}
	return AttrPath{First: f, Second: string(system), Third: name}
}

// AttrPath is an attribute path of a flake output as garnix knew it: family and one or two further parts.
// Third is empty for a two-part path. A part may hold any character, but a selected path never has a dot in one.
type AttrPath struct {
	First  Family
	Second string
	Third  string
}

// Parts returns the two or three parts in order.
func (p AttrPath) Parts() []string {
	if p.First.Shape() == PerSystem || p.Third != "" {
		return []string{string(p.First), p.Second, p.Third}
	}
	return []string{string(p.First), p.Second}
}

// String joins the parts with dots and quotes nothing, as garnix did.
func (p AttrPath) String() string { return strings.Join(p.Parts(), ".") }

// Name returns the last part: the name of an output, or the system of a devShell or defaultPackage.
func (p AttrPath) Name() string { return cmp.Or(p.Third, p.Second) }

// System returns the system that the path itself names, or "" for a *Configuration, whose derivation decides.
func (p AttrPath) System() System {
	if p.First.Shape() == Named {
		return ""
	}
	return System(p.Second)
}

// Build returns the attribute path of what is built for p (garnix's addNixosExtension).
func (p AttrPath) Build() []string {
	switch p.First {
	case "nixosConfigurations", "darwinConfigurations":
		return append(p.Parts(), "config", "system", "build", "toplevel")
	case "homeConfigurations":
		return append(p.Parts(), "activationPackage")
	}
	return p.Parts()
}

// CheckName returns the name of the check run garnix reported for p.
func (p AttrPath) CheckName() string {
	kinds := map[Family]string{
		"packages": "package", "checks": "check", "devShells": "devShell", "defaultPackage": "default package", "devShell": "default devShell",
		"nixosConfigurations": "nixosConfig", "homeConfigurations": "homeConfig", "darwinConfigurations": "darwinConfig",
	}
	switch kind := kinds[p.First]; p.First.Shape() {
	case PerSystem:
		return kind + " " + p.Third + " [" + p.Second + "]"
	case Direct:
		return kind + " [" + p.Second + "]"
	case Named:
		return kind + " " + p.Second
	}
	return p.String()
}

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

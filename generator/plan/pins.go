package plan

import (
	"slices"
	"strings"

	"garnix2gha/generator/settings"
)

// Pin is an action at a commit.
type Pin struct {
	Action  string // owner/name
	SHA     string // 40 hex digits
	Version string // exact tag of that commit
}

// String renders "owner/name@sha # version", which the emitter splits into value and comment.
func (p Pin) String() string { return p.Action + "@" + p.SHA + " # " + p.Version }

// Pins returns the actions that generated workflows may use, as of 2026-11, sorted by action.
func Pins() []Pin {
	return []Pin{
		{Action: "DeterminateSystems/determinate-nix-action", SHA: "f4c468f2287f0f14a113841b41f2dc8957119519", Version: "v3.19.0"},
		{Action: "actions/checkout", SHA: "3d3c42e5aac5ba805825da76410c181273ba90b1", Version: "v7.0.1"},
		{Action: "actions/download-artifact", SHA: "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", Version: "v8.0.1"},
		{Action: "actions/upload-artifact", SHA: "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", Version: "v7.0.0"},
		{Action: "cachix/install-nix-action", SHA: "630ae543ea3a38a9a4166f03376c02c50f408342", Version: "v31.11.0"},
		{Action: "nixbuild/nix-quick-install-action", SHA: "9f63be77f412a248c9d9a65a4c82cf066cdf8f0c", Version: "v35"},
	}
}

// pin returns the pin of an action, the one from the settings if it is there.
func pin(s *settings.Settings, action string) string {
	for _, p := range Pins() {
		if p.Action != action {
			continue
		}
		if own, ok := s.Pins[action]; ok {
			p.SHA, p.Version = own.SHA, own.Version
		}
		return strings.TrimSuffix(p.String(), " # ")
	}
	return action
}

// Known reports whether generated workflows may use the action.
func Known(action string) bool {
	return slices.ContainsFunc(Pins(), func(p Pin) bool { return p.Action == action })
}

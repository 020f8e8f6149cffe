package plan

import "garnix2gha/generator/settings"

// Pins returns the actions that generated workflows may use, by owner/name, as of 2026-11.
func Pins() map[string]settings.Pin {
	return map[string]settings.Pin{
		"DeterminateSystems/determinate-nix-action": {SHA: "f4c468f2287f0f14a113841b41f2dc8957119519", Version: "v3.19.0"},
		"actions/checkout":                          {SHA: "3d3c42e5aac5ba805825da76410c181273ba90b1", Version: "v7.0.1"},
		"actions/download-artifact":                 {SHA: "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", Version: "v8.0.1"},
		"actions/upload-artifact":                   {SHA: "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", Version: "v7.0.0"},
		"cachix/install-nix-action":                 {SHA: "630ae543ea3a38a9a4166f03376c02c50f408342", Version: "v31.11.0"},
		"nixbuild/nix-quick-install-action":         {SHA: "9f63be77f412a248c9d9a65a4c82cf066cdf8f0c", Version: "v35"},
	}
}

// pin spells an action at its commit, that of the settings if they give one. The emitter makes a comment of the version.
func pin(s *settings.Settings, action string) string {
	p, own := s.Pins[action]
	if !own {
		p = Pins()[action]
	}
	text := action + "@" + p.SHA
	if p.Version != "" {
		text += " # " + p.Version
	}
	return text
}

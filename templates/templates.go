// Package templates embeds what workflows are made of: the Jsonnet that spells them, the scripts they run, and the
// Nix expression that lists targets.
package templates

import "embed"

// FS holds the templates by their paths below this folder.
//
//go:embed *.jsonnet *.libsonnet scripts/*.sh nix/*.nix
var FS embed.FS

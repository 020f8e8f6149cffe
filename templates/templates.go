// Package templates embeds what a repository gets: the Jsonnet that spells its workflows, and the programs that they
// call.
package templates

import "embed"

// FS holds the templates by their paths below this folder.
//
//go:embed *.jsonnet *.libsonnet ci/*.py ci/*.nix.txt
var FS embed.FS

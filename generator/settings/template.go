package settings

import _ "embed"

//go:embed template.yaml
var template string

// Template returns the file that "garnix2gha init" writes: every key with its default, all commented out. Lines
// that begin with one "# " are YAML; those with "## " explain it.
func Template() []byte { return []byte(template) }

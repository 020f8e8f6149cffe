package settings

import _ "embed"

//go:embed settings.schema.json
var schema string

//go:embed garnix.schema.json
var garnixSchema string

// Schema returns the JSON Schema (draft 2020-12) of the settings file. It accepts all that Parse accepts; Parse
// also refuses what a schema cannot say, such as keys given twice.
func Schema() []byte { return []byte(schema) }

// GarnixSchema returns the JSON Schema (draft 2020-12) of garnix.yaml, with garnix's own rules: unknown keys are
// allowed, null is not.
func GarnixSchema() []byte { return []byte(garnixSchema) }

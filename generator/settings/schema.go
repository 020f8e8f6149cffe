package settings

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"path"
	"sync"
)

//go:embed settings.schema.json
var schema string

//go:embed garnix.schema.json
var garnixSchema string

// Schema returns the JSON Schema (draft 2020-12) of the settings file, the rule book of Parse for all that it can say.
func Schema() []byte { return []byte(schema) }

// GarnixSchema returns the JSON Schema (draft 2020-12) of garnix.yaml: unknown keys are allowed, null is not.
func GarnixSchema() []byte { return []byte(garnixSchema) }

// book is the schema as JSON holds it, read once. It panics, as regexp.MustCompile does, on one that is no JSON.
var book = sync.OnceValue(func() map[string]any {
	var root map[string]any
	if err := json.Unmarshal([]byte(schema), &root); err != nil {
		panic(err)
	}
	return root
})

// definition is what a reference of the schema's means.
func definition(reference any) any {
	return object(book()["$defs"])[path.Base(fmt.Sprint(reference))]
}

// object is a value of JSON as an object, nil if it is none.
func object(value any) map[string]any {
	members, _ := value.(map[string]any)
	return members
}

// fill adds the defaults of what a mapping of the settings does not give; a section that is missing has only defaults.
func fill(rule, mapping map[string]any) {
	for key, property := range object(rule["properties"]) {
		property := object(property)
		standard, ok := property["default"]
		if !ok && property["properties"] != nil {
			standard, ok = map[string]any{}, true
		}
		if _, given := mapping[key]; !given && ok {
			mapping[key] = standard
		}
		if section := object(mapping[key]); section != nil {
			fill(property, section)
		}
	}
}

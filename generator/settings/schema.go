package settings

import (
	_ "embed"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed settings.schema.json
var schema string

//go:embed garnix.schema.json
var garnixSchema string

// Schema returns the JSON Schema (draft 2020-12) of the settings file, the rule book of Parse. Parse also refuses what a
// schema cannot say, such as keys given twice.
func Schema() []byte { return []byte(schema) }

// GarnixSchema returns the JSON Schema (draft 2020-12) of garnix.yaml, with garnix's own rules: unknown keys are
// allowed, null is not.
func GarnixSchema() []byte { return []byte(garnixSchema) }

// book is the schema as JSON holds it, read once. It panics, as regexp.MustCompile does, on one that is no JSON.
var book = sync.OnceValue(func() any {
	root, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	if err != nil {
		panic(err)
	}
	return root
})

// compiled makes the validator once, and only for a file that says something: it takes a third of a whole run.
var compiled = sync.OnceValue(func() *jsonschema.Schema {
	const address = "settings.schema.json"
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(address, book()); err != nil {
		panic(err)
	}
	return compiler.MustCompile(address)
})

// ruleAt returns the part of the schema that an address of the validator names; nil if it names none.
func ruleAt(address string) map[string]any {
	_, fragment, _ := strings.Cut(address, "#")
	pointer, _ := url.PathUnescape(fragment) // the validator spells it well
	node := book()
	for token := range strings.SplitSeq(strings.Trim(pointer, "/"), "/") {
		switch container := node.(type) {
		case map[string]any:
			if token != "" {
				node = container[strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")]
			}
		case []any:
			if i, err := strconv.Atoi(token); err == nil && i < len(container) {
				node = container[i]
			}
		}
	}
	return object(node)
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

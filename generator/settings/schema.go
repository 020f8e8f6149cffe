package settings

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/document"
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

const templateHead = `## Settings of garnix2gha. What garnix built stands in garnix.yaml; this file says how GitHub builds it.
##
## Every line that begins with one # shows a key and its default: take the "# " away to change it.
## "garnix2gha schema" prints a JSON Schema for editors; "garnix2gha generate" applies what is written here.
`

// Template returns the file that "garnix2gha init" writes: every key of the schema with its default, all commented out.
// Lines that begin with one "# " are YAML; those with "## " explain it.
func Template() []byte {
	var b strings.Builder
	b.WriteString(templateHead)
	root, _ := document.Read("", []byte(schema)) // JSON is YAML, whose nodes keep the order
	_, properties := document.Find(root, "properties")
	for key, property := range document.Pairs(properties) {
		b.WriteString("\n")
		write(&b, "", key.Value, property)
	}
	return []byte(b.String())
}

// write explains a setting and shows its default, or an example where it has none.
func write(b *strings.Builder, margin, key string, property *yaml.Node) {
	const width = 120
	line := "##" + margin
	_, description := document.Find(property, "description")
	for word := range strings.FieldsSeq(description.Value) {
		if len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = "##" + margin
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
	_, standard := document.Find(property, "default")
	_, inner := document.Find(property, "properties")
	if _, examples := document.Find(property, "examples"); len(examples.Content) > 0 {
		b.WriteString("##" + margin + " for example " + key + ": " + flow(examples.Content[0]) + "\n")
	}
	switch {
	case standard.Kind != 0:
		b.WriteString("# " + margin + key + ": " + flow(standard) + "\n")
	case inner.Kind != 0:
		b.WriteString("# " + margin + key + ":\n")
		for key, property := range document.Pairs(inner) {
			write(b, margin+"  ", key.Value, property)
		}
	}
}

var plainText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9 ._/-]*$`)

// flow spells a value on one line.
func flow(n *yaml.Node) string {
	for part := range document.All(n) {
		switch {
		case part.Kind != yaml.ScalarNode:
			part.Style = yaml.FlowStyle
		case plainText.MatchString(part.Value):
			part.Style = 0
		}
	}
	text, _ := yaml.Marshal(n) // what was read can be written
	return strings.TrimSpace(string(text))
}

package settings

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"
)

// breach is a keyword of the schema that a value does not keep to.
type breach struct {
	at      []string // the keys and indices that lead to the value
	rule    map[string]any
	keyword string
	value   any
}

// breaches holds a value to a rule and gives what it breaks; of one value that is in the order of telling. It knows the
// keywords that the schema has: a validator of every schema, which the tests have, takes a quarter of a run to start.
func (p *parser) breaches(rule map[string]any, value any, at ...string) []breach {
	var out []breach
	demand := func(keyword string, kept bool) {
		if rule[keyword] != nil && !kept {
			out = append(out, breach{at, rule, keyword, value})
		}
	}
	hold := func(part, value any, below ...string) {
		if rule := object(part); rule != nil {
			out = append(out, p.breaches(rule, value, append(slices.Clip(at), below...)...)...)
		}
	}
	fits := func(keyword string, value any) bool {
		part := object(rule[keyword])
		return part != nil && p.breaches(part, value) == nil
	}
	limit := func(keyword string) int {
		number, _ := rule[keyword].(float64)
		return int(number)
	}
	demand("type", slices.Contains(words(rule["type"]), typeOf(value)))
	demand("const", value == rule["const"])
	demand("enum", slices.ContainsFunc(words(rule["enum"]), func(word string) bool { return value == word }))
	if out != nil {
		return out[:1]
	}
	hold(definition(rule["$ref"]), value)
	switch value := value.(type) {
	case string:
		demand("minLength", utf8.RuneCountInString(value) >= limit("minLength"))
		demand("maxLength", utf8.RuneCountInString(value) <= limit("maxLength"))
		pattern, given := rule["pattern"].(string)
		demand("pattern", given && p.expression(pattern).MatchString(value))
	case int:
		demand("minimum", value >= limit("minimum"))
		demand("maximum", value <= limit("maximum"))
	case []any:
		demand("minItems", len(value) >= limit("minItems"))
		demand("contains", slices.ContainsFunc(value, func(item any) bool { return fits("contains", item) }))
		seen := map[string]bool{}
		for i, item := range value {
			place, text := strconv.Itoa(i), fmt.Sprintf("%#v", item)
			hold(rule["items"], item, place)
			if seen[text] && rule["uniqueItems"] == true {
				out = append(out, breach{append(slices.Clip(at), place), rule, "uniqueItems", item})
			}
			seen[text] = true
		}
	case map[string]any:
		for _, key := range words(rule["required"]) {
			_, given := value[key]
			demand("required", given)
		}
		var unknown []string
		for key, member := range value {
			part := object(rule["properties"])[key]
			for pattern, matching := range object(rule["patternProperties"]) {
				if p.expression(pattern).MatchString(key) {
					part = matching
				}
			}
			switch {
			case part == nil:
				unknown = append(unknown, key)
			case member == nil || !reflect.DeepEqual(member, object(part)["default"]): // a default's patterns need not be compiled
				hold(part, member, key)
			}
		}
		if rule["additionalProperties"] == false && unknown != nil {
			out = append(out, breach{at, rule, "additionalProperties", unknown})
		}
	}
	demand("not", !fits("not", value))
	parts, _ := rule["allOf"].([]any)
	for _, part := range parts {
		hold(part, value)
	}
	if fits("if", value) {
		hold(rule["then"], value)
	}
	return out
}

// typeOf is the type of a value as the schema calls it.
func typeOf(value any) string {
	return map[reflect.Kind]string{
		reflect.Invalid: "null", reflect.Bool: "boolean", reflect.Int: "integer", reflect.String: "string", reflect.Slice: "array",
		reflect.Map: "object", reflect.Float64: "integer", // as JSON has the schema's defaults
	}[reflect.ValueOf(value).Kind()]
}

func (p *parser) expression(pattern string) *regexp.Regexp {
	if p.expressions[pattern] == nil {
		p.expressions[pattern] = regexp.MustCompile(pattern)
	}
	return p.expressions[pattern]
}

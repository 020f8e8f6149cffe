package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"garnix2gha/generator/document"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

func compile(tb testing.TB, source []byte) *jsonschema.Schema {
	tb.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(source))
	require.NoError(tb, err)
	const url = "urn:test"
	compiler := jsonschema.NewCompiler()
	require.NoError(tb, compiler.AddResource(url, document))
	compiled, err := compiler.Compile(url)
	require.NoError(tb, err)
	return compiled
}

// toJSON converts YAML to what JSON would hold: an empty file is null.
func toJSON(src []byte) (any, error) {
	root, diags := document.Read("", bytes.TrimPrefix(src, []byte("\ufeff")))
	if diags.HasErrors() {
		return nil, errors.New(diags[0].Message)
	}
	var decoded any
	if root != nil {
		if err := root.Decode(&decoded); err != nil {
			return nil, err
		}
	}
	encoded, err := json.Marshal(withTextKeys(decoded))
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
}

// withTextKeys makes every key text: YAML allows others, and so does map[any]any.
func withTextKeys(decoded any) any {
	switch decoded := decoded.(type) {
	case map[string]any:
		for key := range decoded {
			decoded[key] = withTextKeys(decoded[key])
		}
		return decoded
	case map[any]any:
		mapping := map[string]any{}
		for key, value := range decoded {
			mapping[fmt.Sprint(key)] = withTextKeys(value)
		}
		return mapping
	case []any:
		for i := range decoded {
			decoded[i] = withTextKeys(decoded[i])
		}
	}
	return decoded
}

func TestSchemaAcceptsWhatParseAccepts(t *testing.T) {
	t.Parallel()
	compiled := compile(t, Schema())
	fixtures, err := filepath.Glob("testdata/valid/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, fixtures)
	for _, path := range fixtures {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(path)
			require.NoError(t, err)
			instance, err := toJSON(src)
			require.NoError(t, err)
			assert.NoError(t, compiled.Validate(instance))
		})
	}
}

func TestSchemaRefusesWhatParseRefuses(t *testing.T) {
	t.Parallel()
	compiled := compile(t, Schema())
	for _, tc := range rules() {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			instance, err := toJSON([]byte(tc.src))
			if err != nil {
				assert.True(t, tc.schemaBlind, err)
				return
			}
			assert.Equal(t, tc.schemaBlind, compiled.Validate(instance) == nil)
		})
	}
}

func TestGarnixSchema(t *testing.T) {
	t.Parallel()
	compiled := compile(t, GarnixSchema())
	for _, tc := range []struct {
		name, src string
		valid     bool
	}{
		{"an empty file is fine", "", true},
		{"an empty mapping is fine", "{}", true},
		{"the file is no list", "[]", false},
		{"a section", `builds: {include: ["*.*", "packages.*.x", "..", "packages..a"], exclude: [], branch: main}`, true},
		{"sections", `builds: [{}, {include: ["*.*"]}]`, true},
		{"no sections", "builds: []", true},
		{"builds is not text", "builds: all", false},
		{"builds is not null", "builds:", false},
		{"a section is not text", "builds: [packages.*.*]", false},
		{"include is not null", "builds: {include: }", false},
		{"exclude is not one matcher", `builds: {exclude: "*.*"}`, false},
		{"a matcher has more than one part", `builds: {include: ["*"]}`, false},
		{"a matcher has fewer than four parts", `builds: {exclude: ["a.b.c.d"]}`, false},
		{"a branch is text", "builds: {branch: 25.11}", false},
		{"a branch is one", "builds: {branch: [main]}", false},
		{"unknown keys are ignored", "include: 1\nbuilds: {includes: 2}\nenableGithubOrgAccessTokens: true", true},
		{"an action", "actions: [{run: x, on: push, sandboxType: shared-resources, withRepoContents: true}]", true},
		{"an action with a token of its own", "actions: [{run: x, on: push, githubToken: {repositories: [a]}}, {run: x, on: push, githubToken: repo}]", true},
		{"an action has a program", "actions: [{on: push}]", false},
		{"an action has an event", "actions: [{run: x}]", false},
		{"an action runs on push", "actions: [{run: x, on: pull_request}]", false},
		{"an action's sandbox is known", "actions: [{run: x, on: push, sandboxType: none}]", false},
		{"an action's token is known", "actions: [{run: x, on: push, githubToken: all}]", false},
		{"actions are a list", "actions: {run: x, on: push}", false},
		{"incremental builds", "incrementalizeBuilds: {excludeBranches: [main]}", true},
		{"incremental builds exclude branches or nothing", "incrementalizeBuilds: {}", false},
		{"fodChecks is a boolean", `fodChecks: "true"`, false},
		{"flakeDir is text", "flakeDir: 1", false},
		{"modules", "modules: {publish: true}", true},
		{"modules are published or not", "modules: {publish: all}", false},
		{"a server of a branch", "servers: [{configuration: web, deployment: {type: on-branch, branch: main, machine: i4x8, isPrimary: true}}]", true},
		{"a server of a branch names it", "servers: [{configuration: web, deployment: {type: on-branch}}]", false},
		{"a server's machine is known", "servers: [{configuration: web, deployment: {type: on-branch, branch: main, machine: big}}]", false},
		{"a server of a pull request reads nothing else", "servers: [{configuration: web, deployment: {type: on-pull-request, machine: big}}]", true},
		{"a server has a configuration", "servers: [{deployment: {type: on-pull-request}}]", false},
		{"a server is deployed for something", "servers: [{configuration: web, deployment: {type: on-tag}}]", false},
		{"artifacts have a package", "artifacts: [{name: x}]", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			instance, err := toJSON([]byte(tc.src))
			require.NoError(t, err)
			err = compiled.Validate(instance)
			assert.Equal(t, tc.valid, err == nil, "%v", err)
		})
	}
}

// TestGarnixSchemaAcceptsFilesThatGarnixAccepted reads a corpus of real files where one lies beside the project.
func TestGarnixSchemaAcceptsFilesThatGarnixAccepted(t *testing.T) {
	t.Parallel()
	corpus := filepath.Join("..", "..", "..", "shared", "corpus")
	index, err := os.ReadFile(filepath.Join(corpus, "INDEX.tsv"))
	if os.IsNotExist(err) {
		t.Skip("no corpus of real files here")
	}
	require.NoError(t, err)
	compiled := compile(t, GarnixSchema())
	rows := strings.Split(strings.TrimSpace(string(index)), "\n")
	file := slices.Index(strings.Split(rows[0], "\t"), "file")
	verdict := slices.Index(strings.Split(rows[0], "\t"), "garnix_verdict")
	count := 0
	for _, row := range rows[1:] {
		cells := strings.Split(row, "\t")
		src, err := os.ReadFile(filepath.Join(corpus, cells[file]))
		require.NoError(t, err)
		instance, err := toJSON(src)
		if cells[verdict] != "ok" {
			assert.True(t, err != nil || compiled.Validate(instance) != nil, "%s: %s", cells[file], cells[verdict])
			continue
		}
		require.NoError(t, err, cells[file])
		assert.NoError(t, compiled.Validate(instance), cells[file])
		count++
	}
	assert.NotZero(t, count)
}

// properties returns every property of a schema by its dotted path, wherever it is defined.
func properties(schema any, path string, found map[string]map[string]any) {
	object, ok := schema.(map[string]any)
	if !ok {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		child := object[name]
		switch name {
		case "properties":
			for key, property := range child.(map[string]any) {
				at := strings.TrimPrefix(path+"."+key, ".")
				found[at] = property.(map[string]any)
				properties(property, at, found)
			}
		case "$defs":
			for key, definition := range child.(map[string]any) {
				properties(definition, "$defs/"+key, found)
			}
		case "items", "additionalProperties":
			properties(child, path, found)
		case "patternProperties":
			for _, branch := range child.(map[string]any) {
				properties(branch, path, found)
			}
		case "anyOf":
			for _, branch := range child.([]any) {
				properties(branch, path, found)
			}
		}
	}
}

func schemaProperties(t *testing.T, source []byte) map[string]map[string]any {
	t.Helper()
	var schema map[string]any
	require.NoError(t, json.Unmarshal(source, &schema))
	for _, key := range []string{"$schema", "$id", "title", "description", "examples"} {
		assert.Contains(t, schema, key)
	}
	found := map[string]map[string]any{}
	properties(schema, "", found)
	require.NotEmpty(t, found)
	return found
}

func TestEveryPropertyOfTheSchemasIsDescribed(t *testing.T) {
	t.Parallel()
	for _, source := range [][]byte{Schema(), GarnixSchema()} {
		for path, property := range schemaProperties(t, source) {
			assert.NotEmpty(t, property["description"], path)
		}
	}
}

func TestExamplesOfTheSchemasAreValid(t *testing.T) {
	t.Parallel()
	for _, source := range [][]byte{Schema(), GarnixSchema()} {
		compiled := compile(t, source)
		for _, example := range compiled.Examples {
			assert.NoError(t, compiled.Validate(example))
		}
		require.NotEmpty(t, compiled.Examples)
	}
	defaults, err := toJSON(uncommented()) // which Parse does not hold to their rules
	require.NoError(t, err)
	assert.NoError(t, compile(t, Schema()).Validate(defaults))
}

// TestTheSchemaAndParseKnowTheSameKeys asks Parse, which lists the keys it knows.
func TestTheSchemaAndParseKnowTheSameKeys(t *testing.T) {
	t.Parallel()
	want := map[string][]string{}
	for path := range schemaProperties(t, Schema()) {
		parent, key := "", path
		if i := strings.LastIndexByte(path, '.'); i >= 0 {
			parent, key = path[:i], path[i+1:]
		}
		want[parent] = append(want[parent], key)
	}
	for parent, keys := range want {
		src := "zzzzzzzzzz: 1"
		switch parent {
		case "":
		case "pins":
			src = "pins: {a/b: {" + src + "}}"
		default:
			src = parent + ": {" + src + "}"
		}
		_, diags := Parse(file, []byte(src+"\n"))
		slices.Sort(keys)
		var hints []string
		for _, d := range diags {
			hints = append(hints, d.Hint)
		}
		assert.Contains(t, hints, "known keys: "+strings.Join(keys, ", "), parent)
	}
}

func TestDefaultsOfTheSchemaAreTheDefaults(t *testing.T) {
	t.Parallel()
	var template map[string]any
	require.NoError(t, yaml.Unmarshal(uncommented(), &template))
	for path, property := range schemaProperties(t, Schema()) {
		standard, ok := property["default"]
		if !ok || strings.HasPrefix(path, "shards.") {
			continue
		}
		var shown any = template
		for part := range strings.SplitSeq(path, ".") {
			shown = shown.(map[string]any)[part]
		}
		assert.EqualValues(t, fmt.Sprint(standard), fmt.Sprint(shown), path)
	}
}

// TestEveryRuleOfTheSchemaHasWords walks all that a value is held to, which conditions and forbidden values are not.
func TestEveryRuleOfTheSchemaHasWords(t *testing.T) {
	t.Parallel()
	var root any
	require.NoError(t, json.Unmarshal(Schema(), &root))
	count := 0
	var walk func(at string, node any)
	walk = func(at string, node any) {
		if items, ok := node.([]any); ok {
			for i, item := range items {
				walk(at+"/"+strconv.Itoa(i), item)
			}
		}
		rule := object(node)
		errors := object(rule["x-errors"])
		for keyword := range errors {
			assert.Contains(t, rule, keyword, "%s: words for a rule that is not there", at)
		}
		for _, keyword := range []string{"pattern", "not", "const", "minLength", "maxLength"} {
			if _, ok := rule[keyword]; ok && !strings.HasSuffix(at, "properties") {
				count++
				assert.NotEmpty(t, object(errors[keyword])["message"], "%s: %s", at, keyword)
			}
		}
		for name, child := range rule {
			if !slices.Contains([]string{"if", "not", "contains", "default", "examples", "x-errors"}, name) {
				walk(at+"/"+name, child)
			}
		}
	}
	walk("", root)
	assert.Greater(t, count, 40)
}

// TestEveryKeywordOfTheSchemaIsKept looks for each keyword in the source: one that nothing keeps to would be a rule for
// editors alone.
func TestEveryKeywordOfTheSchemaIsKept(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("breach.go")
	require.NoError(t, err)
	var root any
	require.NoError(t, json.Unmarshal(Schema(), &root))
	words := []string{"$schema", "$id", "$comment", "title", "description", "default", "examples", "x-errors", "$defs"}
	count := 0
	var walk func(rule any)
	walk = func(rule any) {
		for keyword, value := range object(rule) {
			if !slices.Contains(words, keyword) {
				count++
				assert.Contains(t, string(source), strconv.Quote(keyword))
			}
			switch keyword {
			case "properties", "patternProperties", "$defs":
				for _, part := range object(value) {
					walk(part)
				}
			case "items", "contains", "not", "if", "then":
				walk(value)
			case "allOf":
				for _, part := range value.([]any) {
					walk(part)
				}
			}
		}
	}
	walk(root)
	assert.Greater(t, count, 200)
}

// TestEverySettingHasAField compares the schema with the tags of the types.
func TestEverySettingHasAField(t *testing.T) {
	t.Parallel()
	var root map[string]any
	require.NoError(t, json.Unmarshal(Schema(), &root))
	for section, of := range map[string]any{
		"": Settings{}, "cache": Cache{}, "triggers": Triggers{}, "nix": Nix{}, "names": Names{}, "files": Files{}, "timeouts": Timeouts{},
	} {
		rule := root
		if section != "" {
			rule = object(object(root["properties"])[section])
		}
		var want, got []string
		for key := range object(rule["properties"]) {
			want = append(want, key)
		}
		for _, field := range reflect.VisibleFields(reflect.TypeOf(of)) {
			if tag := field.Tag.Get("json"); tag != "" && tag != "-" {
				got = append(got, tag)
			}
		}
		assert.ElementsMatch(t, want, got, section)
	}
}

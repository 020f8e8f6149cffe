package workflow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"

	"gopkg.in/yaml.v3"
)

// comment matches a value that carries its own line comment: a pin with its version ("owner/name@sha # v1") or a
// permission with its reason ("write # why"). Jsonnet has no comments, so the templates write them this way.
var comment = regexp.MustCompile(`^([^#\n]*[^#\s]) # ([^\n]+)$`)

// ranks gives the order in which a person writes the keys of each kind of mapping; what is not named follows
// alphabetically.
var ranks = map[kind][]string{
	workflowKeys: {"name", "run-name", "on", "permissions", "env", "defaults", "concurrency", "jobs"},
	triggerKeys:  {"push", "pull_request", "merge_group", "schedule", "workflow_dispatch"},
	jobKeys: {
		"name", "needs", "if", "runs-on", "environment", "permissions", "timeout-minutes", "concurrency", "strategy",
		"outputs", "env", "defaults", "steps",
	},
	strategyKeys: {"fail-fast", "max-parallel", "matrix"},
	stepKeys: {
		"name", "id", "if", "uses", "with", "shell", "working-directory", "timeout-minutes", "continue-on-error", "env",
		"run",
	},
	inputKeys:       {"description", "type", "required", "default"},
	concurrencyKeys: {"group", "cancel-in-progress"},
}

// kind says what a mapping is, which decides the order of its keys and the kind of its values.
type kind int

const (
	plainKeys kind = iota
	workflowKeys
	triggerKeys
	jobsKeys
	jobKeys
	strategyKeys
	stepKeys
	inputsKeys
	inputKeys
	concurrencyKeys
	commentedValues
)

// child returns the kind of the value under key in a mapping of kind k.
func (k kind) child(key string) kind {
	switch {
	case k == workflowKeys && key == "on":
		return triggerKeys
	case k == workflowKeys && key == "jobs":
		return jobsKeys
	case (k == workflowKeys || k == jobKeys) && key == "permissions":
		return commentedValues
	case (k == workflowKeys || k == jobKeys) && key == "concurrency":
		return concurrencyKeys
	case k == jobsKeys:
		return jobKeys
	case k == jobKeys && key == "steps":
		return stepKeys
	case k == jobKeys && key == "strategy":
		return strategyKeys
	case k == triggerKeys && key == "workflow_dispatch":
		return inputsKeys
	case k == inputsKeys && key != "inputs":
		return inputKeys
	case k == inputsKeys:
		return inputsKeys
	}
	return plainKeys
}

// Emit writes a workflow, given as decoded JSON, as canonical YAML: ordered keys, literal blocks, line comments for
// pins. Numbers must be json.Number. The result decodes to the same value, comments aside.
func Emit(value any) ([]byte, error) {
	node, err := build(value, workflowKeys)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(node); err != nil {
		return nil, fmt.Errorf("emit YAML: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return nil, fmt.Errorf("emit YAML: %w", err)
	}
	return spaced(b.Bytes()), nil
}

func build(value any, k kind) (*yaml.Node, error) {
	switch value := value.(type) {
	case map[string]any:
		node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		if len(value) == 0 {
			node.Style = yaml.FlowStyle
		}
		for _, key := range keys(value, k) {
			child, err := build(value[key], k.child(key))
			if err != nil {
				return nil, err
			}
			if key == "uses" || k == commentedValues {
				splitComment(child)
			}
			name := text(key)
			if name.Style == yaml.LiteralStyle {
				name.Style = yaml.DoubleQuotedStyle
			}
			node.Content = append(node.Content, name, child)
		}
		return node, nil
	case []any:
		node := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if len(value) == 0 {
			node.Style = yaml.FlowStyle
		}
		for _, item := range value {
			child, err := build(item, k)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, child)
		}
		return node, nil
	case string:
		return text(value), nil
	case json.Number:
		tag := "!!int"
		if strings.ContainsAny(value.String(), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value.String()}, nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(value)}, nil
	case nil:
		// "push:" with nothing after it is how a person writes a trigger without filters.
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: ""}, nil
	}
	return nil, fmt.Errorf("emit YAML: unexpected %T", value)
}

// text makes a string node. The encoder quotes what YAML 1.2 would read as another type; what YAML 1.1 readers take
// for a boolean is quoted here, save for the key "on", which everybody writes plain.
func text(s string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	switch {
	case s == "<<", s != "on" && oldBool(s):
		node.Style = yaml.DoubleQuotedStyle
	case !literal(s), !strings.Contains(s, "\n") && strings.Contains(s, "'") && special(s):
		node.Style = yaml.DoubleQuotedStyle
	case strings.Contains(s, "\n"):
		node.Style = yaml.LiteralStyle
	}
	return node
}

// literal reports whether a block or plain scalar can hold s unchanged; the encoder gets some of the rest wrong.
func literal(s string) bool {
	if strings.HasPrefix(s, "\n") || strings.HasSuffix(s, "\n\n") || strings.HasPrefix(s, " ") && strings.Contains(s, "\n") || strings.TrimSpace(s) == "" && s != "" {
		return false
	}
	for _, r := range s {
		if r != '\n' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffd || r > 0xffff) {
			return false
		}
	}
	return !strings.Contains(s, " \n") && !(strings.HasSuffix(s, " ") && strings.Contains(s, "\n"))
}

// special reports whether a plain scalar cannot begin or go on as s does; the encoder would then choose single quotes,
// which double every one inside.
func special(s string) bool {
	return strings.ContainsAny(s[:1], "!&*?|>%@`{}[],#:-\"' ") || strings.Contains(s, ": ") || strings.Contains(s, " #")
}

func oldBool(s string) bool {
	return slices.Contains([]string{"y", "yes", "on", "n", "no", "off"}, strings.ToLower(s))
}

func splitComment(node *yaml.Node) {
	if m := comment.FindStringSubmatch(node.Value); m != nil && node.Kind == yaml.ScalarNode {
		node.Value, node.LineComment = m[1], "# "+m[2]
		node.Style = 0
	}
}

// keys orders the keys of a mapping: by rank, jobs by what they need, the rest alphabetically.
func keys(value map[string]any, k kind) []string {
	out := make([]string, 0, len(value))
	for key := range value {
		out = append(out, key)
	}
	sort.Strings(out)
	if k == jobsKeys {
		return byNeeds(out, value)
	}
	rank := func(key string) int {
		if i := slices.Index(ranks[k], key); i >= 0 {
			return i
		}
		return len(ranks[k])
	}
	sort.SliceStable(out, func(i, j int) bool { return rank(out[i]) < rank(out[j]) })
	return out
}

// byNeeds puts a job after the jobs it needs; a cycle, which GitHub refuses anyway, falls back to the alphabet.
func byNeeds(names []string, jobs map[string]any) []string {
	depth := map[string]int{}
	var visit func(name string, left int) int
	visit = func(name string, left int) int {
		if d, ok := depth[name]; ok || left == 0 {
			return d
		}
		job, _ := jobs[name].(map[string]any)
		d := 0
		for _, need := range needs(job["needs"]) {
			d = max(d, 1+visit(need, left-1))
		}
		depth[name] = d
		return d
	}
	for _, name := range names {
		visit(name, len(names))
	}
	sort.SliceStable(names, func(i, j int) bool { return depth[names[i]] < depth[names[j]] })
	return names
}

func needs(value any) []string {
	switch value := value.(type) {
	case string:
		return []string{value}
	case []any:
		var out []string
		for _, item := range value {
			if name, ok := item.(string); ok {
				out = append(out, name)
			}
		}
		return out
	}
	return nil
}

// spaced puts an empty line before each top-level key and each job, as a person would. Block scalars are never touched:
// they are indented deeper.
func spaced(src []byte) []byte {
	var out bytes.Buffer
	inJobs, first := false, true
	for line := range bytes.Lines(src) {
		if len(line) > 1 && line[0] != ' ' {
			if out.Len() > 0 {
				out.WriteByte('\n')
			}
			inJobs = string(line) == "jobs:\n"
			first = true
		} else if inJobs && len(line) > 2 && line[0] == ' ' && line[1] == ' ' && line[2] != ' ' {
			if !first {
				out.WriteByte('\n')
			}
			first = false
		}
		out.Write(line)
	}
	return out.Bytes()
}

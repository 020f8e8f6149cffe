package workflow

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// Where a line ends: prettier keeps lists on one line up to there, and comments fit beside what they speak of.
const columns = 80

// commentKey begins the key of a comment: "//name" speaks of "name" beside it. Jsonnet's own comments do not survive.
const commentKey = "//"

// gap is the comment that stands for a blank line until all is written; no other comment holds what does not show.
const gap = "#\x01"

var gaps = regexp.MustCompile(`(?m)^ *` + gap + `$`)

// order is how a person writes keys, from the top of a workflow to its last step, and jobs; others follow alphabetically.
var order = []string{
	"name", "run-name", "id", "on", "push", "pull_request", "merge_group", "schedule", "workflow_dispatch", "needs", "if",
	"runs-on", "environment", "permissions", "uses", "with", "pattern", "ref", "path", "shell", "working-directory",
	"timeout-minutes", "continue-on-error", "group", "concurrency", "fail-fast", "max-parallel", "matrix", "strategy",
	"outputs", "description", "type", "required", "default", "env", "defaults", "steps", "run", "jobs",
	"plan", "build", "checks", "statuses",
}

// Emit writes a workflow, given as decoded JSON, as prettier prints one that a person wrote: ordered keys, literal
// blocks, short lists on one line. Numbers must be json.Number. A key "//name" becomes a comment of "name", and so does
// what follows " # " in a step's uses. The result decodes to the same value, comments aside.
func Emit(value map[string]any) ([]byte, error) {
	root := mapping(value, 0)
	apart(root)
	for i := 0; i < len(root.Content); i += 2 {
		if root.Content[i].Value == "jobs" {
			apart(root.Content[i+1])
		}
	}
	var raw bytes.Buffer
	encoder := yaml.NewEncoder(&raw)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return nil, fmt.Errorf("emit YAML: %w", err)
	}
	var out bytes.Buffer
	for _, r := range gaps.ReplaceAllString(raw.String(), "") {
		switch {
		case shows(r) || r == '\n':
			out.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&out, `\U%08X`, r)
		default: // it stands between double quotes
			fmt.Fprintf(&out, `\u%04X`, r)
		}
	}
	return out.Bytes(), nil
}

// apart puts a blank line between the entries of a mapping.
func apart(n *yaml.Node) {
	for i := 2; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		n.Content[i].HeadComment = strings.TrimSpace(gap + "\n" + n.Content[i].HeadComment)
	}
}

func mapping(value map[string]any, indent int) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, key := range keys(value) {
		head := &yaml.Node{Kind: yaml.ScalarNode, Value: key} // "on" as everybody writes it, though old readers take it for a boolean
		if !slices.Contains(order, key) {
			head = scalar(key, false)
		}
		room := columns - indent - width(head) - len(": ")
		comment, _ := value[commentKey+key].(string)
		item := node(value[key], indent+2, room)
		if action, version, found := strings.Cut(fmt.Sprint(value[key]), " # "); found && key == "uses" {
			item, comment = scalar(action, false), ""
			item.LineComment = commented(version)
		}
		beside := !strings.Contains(comment, "\n") && comment != "" && comment[:1] == strings.ToLower(comment[:1])
		if beside && width(item)+len(comment)+len(" # ") <= room { // a few words; a sentence stands above
			item.LineComment = commented(comment)
		} else {
			head.HeadComment = commented(comment)
		}
		n.Content = append(n.Content, head, item)
	}
	return n
}

// node is a value behind a key or a dash, with so many columns left on the line.
func node(value any, indent, room int) *yaml.Node {
	switch value := value.(type) {
	case nil: // "push:" with nothing after it is how a person writes a trigger without filters
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	case string:
		return scalar(value, false)
	case map[string]any:
		return mapping(value, indent)
	case []any:
		return list(value, indent, room)
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(value)} // a number or a boolean
}

// list stands in brackets if it holds nothing but text and is short.
func list(items []any, indent, room int) *yaml.Node {
	n, short := &yaml.Node{Kind: yaml.SequenceNode}, &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, item := range items {
		entry := node(item, indent+2, 0)
		switch text := item.(type) {
		case nil:
			entry.Value = "null"
		case string:
			short.Content = append(short.Content, scalar(text, true))
		case map[string]any:
			if len(entry.Content) > 0 { // the comment of the first key stands above the dash
				entry.HeadComment, entry.Content[0].HeadComment = entry.Content[0].HeadComment, ""
			}
		}
		n.Content = append(n.Content, entry)
	}
	if len(items) == 0 || len(short.Content) == len(items) && width(short) <= room {
		return short
	}
	return n
}

// scalar is text: plain where every reader takes it for text, as a block where it has lines, else in the quotes that
// prettier prefers. Within a list in brackets more has a meaning.
func scalar(s string, bracketed bool) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	visible := strings.IndexFunc(s, func(r rune) bool { return !shows(r) }) < 0
	switch marked, _ := yaml.Marshal(s); {
	case !bracketed && literal(s):
		n.Style = yaml.LiteralStyle
	case !visible:
		n.Style = yaml.DoubleQuotedStyle
	case !strings.ContainsAny(string(marked[:1]), `'"|><=0123456789`) && !(bracketed && strings.ContainsAny(s, ",[]{}?:")):
	case strings.ContainsAny(s, `"\`):
		n.Style = yaml.SingleQuotedStyle
	default:
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// literal reports whether s has several lines, and a block can hold them so that every formatter keeps it.
func literal(s string) bool {
	return strings.Contains(s, "\n") && !strings.HasSuffix(s, "\n\n") && !strings.ContainsAny(s[:1], " \n") &&
		!strings.HasSuffix(s, " ") && !strings.Contains(s, " \n") &&
		strings.IndexFunc(s, func(r rune) bool { return !shows(r) && r != '\n' || r > 0xffff }) < 0
}

// shows tells what is to be seen, so that text is what it looks like.
func shows(r rune) bool { return unicode.IsPrint(r) && r != unicode.ReplacementChar }

// width is how many bytes a value takes on one line; more than a line has if it needs several.
func width(n *yaml.Node) int {
	if n.Kind == yaml.ScalarNode && n.Style == 0 {
		return len(n.Value)
	}
	text, err := yaml.Marshal(n)
	if text = bytes.TrimSuffix(text, []byte("\n")); err != nil || bytes.Contains(text, []byte("\n")) {
		return columns + 1
	}
	return len(text)
}

// commented keeps the lines of a comment comments.
func commented(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.Map(func(r rune) rune {
			if !shows(r) {
				return ' '
			}
			return r
		}, line)
		lines = append(lines, strings.TrimSpace("# "+strings.TrimSpace(line)))
	}
	return strings.Join(lines, "\n")
}

// keys orders the keys of a mapping without those of comments.
func keys(value map[string]any) []string {
	out := slices.DeleteFunc(slices.Sorted(maps.Keys(value)), func(key string) bool { return strings.HasPrefix(key, commentKey) })
	rank := func(key string) int {
		if i := slices.Index(order, key); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(out, func(a, b string) int { return rank(a) - rank(b) })
	return out
}

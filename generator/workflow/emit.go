package workflow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Where a line ends: prettier keeps lists on one line up to there, and comments fit beside what they speak of.
const columns = 80

// commentKey begins the key of a comment: "//name" speaks of "name" beside it. Jsonnet's own comments do not survive.
const commentKey = "//"

// Emit writes a workflow, given as decoded JSON, as prettier prints one that a person wrote: ordered keys, literal
// blocks, short lists on one line. Numbers must be json.Number. A key "//name" becomes a comment of "name", and so does
// what follows " # " in a step's uses. The result decodes to the same value, comments aside.
func Emit(value map[string]any) ([]byte, error) {
	var e emitter
	if err := e.mapping(value, workflowKeys, 0); err != nil {
		return nil, err
	}
	return e.Bytes(), nil
}

// emitter collects the lines of a document.
type emitter struct{ bytes.Buffer }

func (e *emitter) mapping(value map[string]any, k kind, indent int) error {
	for i, key := range keys(value, k) {
		if i > 0 && (k == workflowKeys || k == jobsKeys) {
			e.WriteByte('\n')
		}
		comment, _ := value[commentKey+key].(string)
		if err := e.entry(key, value[key], comment, k, indent); err != nil {
			return err
		}
	}
	return nil
}

// entry writes a key with its value and comment.
func (e *emitter) entry(key string, value any, comment string, k kind, indent int) error {
	margin := strings.Repeat(" ", indent)
	head := margin + scalar(key, false) + ":"
	if key == "on" {
		head = margin + "on:" // plain, as everybody writes it, though old readers take it for a boolean
	}
	if text, ok := value.(string); ok && key == "uses" {
		if action, version, found := strings.Cut(text, " # "); found {
			fmt.Fprintf(e, "%s %s # %s\n", head, scalar(action, false), onOneLine(version))
			return nil
		}
	}
	text, oneLine, err := inline(value, columns-len(head)-1)
	if err != nil {
		return err
	}
	if oneLine && remark(comment) && len(head)+len(text)+len(comment)+4 <= columns {
		text, comment = text+" # "+onOneLine(comment), ""
	}
	if comment != "" {
		for line := range strings.Lines(comment) {
			fmt.Fprintln(e, strings.TrimRight(margin+"# "+onOneLine(line), " "))
		}
	}
	switch {
	case oneLine && text == "":
		fmt.Fprintf(e, "%s\n", head)
	case oneLine:
		fmt.Fprintf(e, "%s %s\n", head, text)
	default:
		return e.block(head, value, k.child(key), indent)
	}
	return nil
}

// remark reports whether a comment belongs behind its value: a few words do, a sentence stands above.
func remark(comment string) bool {
	return comment != "" && !strings.Contains(comment, "\n") && comment[:1] == strings.ToLower(comment[:1])
}

// block writes what needs lines of its own below its key.
func (e *emitter) block(head string, value any, k kind, indent int) error {
	fmt.Fprint(e, head)
	switch value := value.(type) {
	case map[string]any:
		fmt.Fprintln(e)
		return e.mapping(value, k, indent+2)
	case []any:
		fmt.Fprintln(e)
		return e.list(value, k, indent+2)
	case string:
		mark := "|"
		if !strings.HasSuffix(value, "\n") {
			mark = "|-"
		}
		fmt.Fprintf(e, " %s\n", mark)
		for line := range strings.Lines(value) {
			if line = strings.TrimSuffix(line, "\n"); line != "" {
				line = strings.Repeat(" ", indent+2) + line
			}
			fmt.Fprintln(e, line)
		}
		return nil
	}
	return fmt.Errorf("emit YAML: unexpected %T", value)
}

// list writes a list, an item at least a line.
func (e *emitter) list(items []any, k kind, indent int) error {
	dash := strings.Repeat(" ", indent) + "-"
	for _, item := range items {
		text, oneLine, err := inline(item, 0)
		if several, ok := item.(string); ok && !oneLine {
			text, oneLine = scalar(several, false), true
		}
		switch {
		case err != nil:
			return err
		case oneLine && text == "":
			fmt.Fprintln(e, dash, "null")
		case oneLine:
			fmt.Fprintln(e, dash, text)
		default:
			if err := e.nested(dash, item, k, indent); err != nil {
				return err
			}
		}
	}
	return nil
}

// nested writes an item of several lines: its first stands behind the dash, and a comment of that above it.
func (e *emitter) nested(dash string, item any, k kind, indent int) error {
	var inner emitter
	if err := inner.block("", item, k, indent); err != nil {
		return err
	}
	first := true
	for line := range bytes.Lines(bytes.TrimPrefix(inner.Bytes(), []byte("\n"))) {
		switch {
		case first && bytes.HasPrefix(bytes.TrimLeft(line, " "), []byte("#")):
			line = line[2:]
		case first:
			line = append([]byte(dash+" "), line[indent+2:]...)
			first = false
		}
		e.Write(line)
	}
	return nil
}

// inline writes a value that needs no line of its own; ok is false for another one, and for a list longer than room.
func inline(value any, room int) (text string, ok bool, err error) {
	switch value := value.(type) {
	case nil:
		return "", true, nil // "push:" with nothing after it is how a person writes a trigger without filters
	case bool:
		return fmt.Sprint(value), true, nil
	case json.Number:
		return value.String(), true, nil
	case string:
		if strings.Contains(value, "\n") && literal(value) {
			return "", false, nil
		}
		return scalar(value, false), true, nil
	case map[string]any:
		return "{}", len(value) == 0, nil
	case []any:
		items := make([]string, len(value))
		for i, item := range value {
			text, ok := item.(string)
			if !ok {
				return "", false, nil
			}
			items[i] = scalar(text, true)
		}
		text := "[" + strings.Join(items, ", ") + "]"
		return text, len(text) <= room || len(value) == 0, nil
	}
	return "", false, fmt.Errorf("emit YAML: unexpected %T", value)
}

// keys orders the keys of a mapping without those of comments: by rank, jobs by what they need, the rest
// alphabetically.
func keys(value map[string]any, k kind) []string {
	out := slices.DeleteFunc(slices.Sorted(maps.Keys(value)), func(key string) bool {
		return strings.HasPrefix(key, commentKey)
	})
	if k == jobsKeys {
		return byNeeds(out, value)
	}
	rank := func(key string) int {
		if i := slices.Index(ranks[k], key); i >= 0 {
			return i
		}
		return len(ranks[k])
	}
	slices.SortStableFunc(out, func(a, b string) int { return rank(a) - rank(b) })
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
	slices.SortStableFunc(names, func(a, b string) int { return depth[a] - depth[b] })
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

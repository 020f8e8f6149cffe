// Package workflow spells a plan the way GitHub reads it: plan to Jsonnet to a tree to canonical YAML. It is the only
// importer of go-jsonnet and, with its emitter, of the YAML encoder.
package workflow

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"

	"garnix2gha/generator/diag"
)

// File is one rendered workflow without its header.
type File struct {
	Name string // base name in .github/workflows
	Body []byte // canonical YAML
}

// Where the overlay and what ties everything together lie among the templates; neither may import anything else.
const (
	overlayName = "overlay.libsonnet"
	entryName   = "entry.jsonnet"
)

// Render evaluates main.jsonnet of templates with the plan, applies the overlay, the user's function(workflows) workflows
// in a file, if there is one, and emits one file for each field, sorted by name. Faults of the overlay are diagnostics;
// faults of our templates are the error.
func Render(templates fs.FS, plan any, file string, overlay []byte) (files []File, diags diag.List, err error) {
	input, err := json.Marshal(plan)
	if err != nil {
		return nil, nil, fmt.Errorf("encode plan: %w", err)
	}
	sources, err := load(templates)
	if err != nil {
		return nil, nil, err
	}
	sources[entryName] = jsonnet.MakeContents(`function(plan) (import "main.jsonnet")(plan)`)
	text, err := evaluate(sources, string(input), entryName)
	if err == nil && overlay == nil {
		files, err = emitAll(text)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("render templates: %w", err)
	}
	if overlay == nil {
		return files, nil, nil
	}
	// The templates alone are sound, so a fault is the overlay's.
	sources[overlayName] = jsonnet.MakeContents(string(overlay))
	sources[entryName] = jsonnet.MakeContents(fmt.Sprintf(`function(plan) (import %q)((import "main.jsonnet")(plan))`, overlayName))
	if _, err = evaluate(sources, "", overlayName); err == nil {
		text, err = evaluate(sources, string(input), entryName)
	}
	if err != nil {
		at, message := fault(err, file)
		hint := "an overlay is function(workflows) workflows { … }"
		if strings.Contains(message, "super") {
			hint = "what it changes does not exist: is the name of the workflow, of the job and of the key right?"
		}
		diags.Errorf(at, "overlay-invalid", hint, "%s", message)
		return nil, diags, nil
	}
	if files, err = emitAll(text); err != nil {
		diags.Errorf(diag.Pos{File: file}, "overlay-invalid", "return the workflows, keyed by file name", "%s", err)
	}
	return files, diags, nil
}

// evaluate calls the function of a file with a plan. Without one it only parses, which tells where a syntax error stands.
func evaluate(files map[string]jsonnet.Contents, plan, name string) (string, error) {
	vm := jsonnet.MakeVM()
	vm.Importer(&jsonnet.MemoryImporter{Data: files})
	node, _, err := vm.ImportAST("", name)
	if err != nil || plan == "" {
		return "", err
	}
	vm.TLACode("plan", plan)
	return vm.Evaluate(node)
}

// emitAll writes the workflows of an object in JSON; the error says why it is none.
func emitAll(text string) ([]File, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var workflows map[string]any
	if err := decoder.Decode(&workflows); err != nil || workflows == nil {
		return nil, errors.New("the result is not an object of workflows")
	}
	var files []File
	for _, name := range slices.Sorted(maps.Keys(workflows)) {
		workflow, ok := workflows[name].(map[string]any)
		switch {
		case !validName.MatchString(name):
			return nil, fmt.Errorf("%q is no workflow file name", name)
		case !ok:
			return nil, fmt.Errorf("%s is not an object", name)
		}
		body, err := Emit(workflow)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files = append(files, File{Name: name, Body: body})
	}
	return files, nil
}

// validName holds a file name to what GitHub reads and no path can hide in.
var validName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*\.ya?ml$`)

// load reads every template into memory, so that templates and overlays reach no file system.
func load(templates fs.FS) (map[string]jsonnet.Contents, error) {
	data := map[string]jsonnet.Contents{}
	names, _ := fs.Glob(templates, "*.*") // at fault could only be the pattern
	for _, name := range names {
		content, err := fs.ReadFile(templates, name)
		if err != nil {
			return nil, fmt.Errorf("load templates: %w", err)
		}
		data[name] = jsonnet.MakeContents(strings.ReplaceAll(string(content), "\r\n", "\n"))
	}
	return data, nil
}

// fault finds the place in the overlay that an evaluation or syntax error points to, and says in a line what is wrong.
func fault(err error, file string) (diag.Pos, string) {
	type static interface {
		error
		Loc() ast.LocationRange
	}
	var at ast.LocationRange
	message := err.Error()
	if runtime, ok := errors.AsType[jsonnet.RuntimeError](err); ok {
		message = runtime.Msg
		inside := func(frame jsonnet.TraceFrame) bool { return frame.Loc.FileName == overlayName }
		if i := slices.IndexFunc(runtime.StackTrace, inside); i >= 0 {
			at = runtime.StackTrace[i].Loc
		}
	} else if static, ok := errors.AsType[static](err); ok {
		at, message = static.Loc(), static.Error()
		if _, rest, ok := strings.Cut(message, " "); ok && strings.HasPrefix(message, overlayName) {
			message = rest
		}
	}
	message, _, _ = strings.Cut(message, "\n")
	return diag.Pos{File: file, Line: at.Begin.Line, Column: at.Begin.Column}, message
}

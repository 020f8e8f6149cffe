package flake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"garnix2gha/generator/diag"
)

// LockVersion is the version of lock.json that this program reads and writes.
const LockVersion = 1

// Lock lists a flake's outputs as garnix would have seen them at one commit.
type Lock struct {
	// Outputs gives, by family and by the systems of Family.Systems, the names of the outputs that are there, sorted: ""
	// for that of a Direct family.
	Outputs map[Family]map[System][]string

	Systems      map[string]System // of a *Configuration by its attribute path ("nixosConfigurations.web")
	GarnixConfig json.RawMessage   // the value of the flake's garnix.config output; nil means that there is no such output
	Errors       map[string]string // by family or family and system ("packages.aarch64-darwin"): why it could not be listed
}

// lockFile is the JSON of a lock, as it is read.
type lockFile struct {
	Version      int                        `json:"version"`
	Outputs      map[string]json.RawMessage `json:"outputs"`
	Systems      map[string]System          `json:"systems"`
	GarnixConfig json.RawMessage            `json:"garnixConfig"` // null is not nil
	Errors       map[string]string          `json:"errors"`
}

// DecodeLock reads lock.json. Families that garnix never listed are accepted and ignored, whatever their shape.
func DecodeLock(file string, src []byte) (*Lock, diag.List) {
	var diags diag.List
	const hint = `run "garnix2gha snapshot" to write it again`
	bad := func(offset int64, format string, args ...any) {
		diags.Errorf(position(file, src, offset), "lock-invalid", hint, format, args...)
	}
	var raw lockFile
	decoder := json.NewDecoder(bytes.NewReader(src))
	if err := decoder.Decode(&raw); err != nil {
		bad(errorOffset(err, int64(len(src))), "not a lock: %s", err)
		return nil, diags
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		bad(decoder.InputOffset(), "not a lock: something follows the JSON value")
		return nil, diags
	}
	if raw.Version != LockVersion {
		bad(0, "lock version %d is not supported; this program reads version %d", raw.Version, LockVersion)
		return nil, diags
	}
	lock := &Lock{Outputs: map[Family]map[System][]string{}, Systems: map[string]System{}, Errors: map[string]string{}}
	maps.Copy(lock.Systems, raw.Systems)
	maps.Copy(lock.Errors, raw.Errors)
	var config bytes.Buffer
	if json.Compact(&config, raw.GarnixConfig) == nil { // it is there; its layout says nothing
		lock.GarnixConfig = config.Bytes()
	}
	for _, family := range Families() {
		value, ok := raw.Outputs[string(family)]
		if !ok {
			continue
		}
		systems := map[System][]string{}
		var err error
		switch family.Shape() {
		case Named:
			var names []string
			err = json.Unmarshal(value, &names)
			systems[""] = sorted(names)
		case PerSystem:
			var listed map[System][]string
			err = json.Unmarshal(value, &listed)
			for system, names := range listed {
				systems[system] = sorted(names)
			}
		case Direct:
			var listed []System
			err = json.Unmarshal(value, &listed)
			for _, system := range listed {
				systems[system] = []string{""}
			}
		}
		if err != nil {
			bad(0, "outputs.%s: %s", family, err)
		}
		lock.Outputs[family] = systems
	}
	if diags.HasErrors() {
		return nil, diags
	}
	return lock, nil
}

// Encode renders the lock sorted and stable, with a final newline.
func (l *Lock) Encode() ([]byte, error) {
	outputs := map[string]any{}
	for family, systems := range l.Outputs {
		switch family.Shape() {
		case Named:
			outputs[string(family)] = sorted(systems[""])
		case Direct:
			outputs[string(family)] = slices.Sorted(maps.Keys(systems))
		default:
			named := map[System][]string{}
			for system, names := range systems {
				named[system] = sorted(names)
			}
			outputs[string(family)] = named
		}
	}
	value := map[string]any{"version": LockVersion, "outputs": outputs}
	if len(l.Systems) > 0 {
		value["systems"] = l.Systems
	}
	if len(l.Errors) > 0 {
		value["errors"] = l.Errors
	}
	if l.GarnixConfig != nil {
		value["garnixConfig"] = l.GarnixConfig
	}
	var b bytes.Buffer
	if err := diag.JSON(&b, value); err != nil {
		return nil, fmt.Errorf("encode lock: %w", err)
	}
	return b.Bytes(), nil
}

// Paths returns every listed attribute path in garnix's order: families, then systems, then names.
func (l *Lock) Paths() []AttrPath {
	var paths []AttrPath
	for _, family := range Families() {
		for _, system := range family.Systems() {
			for _, name := range l.Outputs[family][system] {
				paths = append(paths, family.Path(system, name))
			}
		}
	}
	return paths
}

// Failure returns the key in Errors of the part of the flake, a family for a system if it has any, that could not be
// listed; "" if it could. That of a single output failed nothing but the output's own check, and is none.
func (l *Lock) Failure(f Family, s System) (key string) {
	for _, key := range []string{string(f), string(f) + "." + string(s)} {
		if _, failed := l.Errors[key]; failed {
			return key
		}
	}
	return ""
}

func sorted(names []string) []string {
	out := append([]string{}, names...)
	slices.Sort(out)
	return slices.Compact(out)
}

func errorOffset(err error, end int64) int64 {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return syntax.Offset
	}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return kind.Offset
	}
	return end
}

// position turns a byte offset into a place; 0 is an unknown one.
func position(file string, src []byte, offset int64) diag.Pos {
	if offset <= 0 || offset > int64(len(src)) {
		return diag.Pos{File: file}
	}
	before := string(src[:offset])
	line := strings.Count(before, "\n") + 1
	column := len([]rune(before[strings.LastIndex(before, "\n")+1:]))
	return diag.Pos{File: file, Line: line, Column: max(column, 1)}
}

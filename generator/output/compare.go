package output

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"garnix2gha/generator/diag"
)

// Status says how a file on disk relates to what would be generated now.
type Status string

// The statuses. Current and Pins are fine; the others want "garnix2gha generate".
const (
	Current        Status = "current"
	PinsMoved      Status = "pins"            // only pins of the same actions moved, as a bot moves them
	StaleInputs    Status = "stale-inputs"    // garnix.yaml, settings, lock or overlay changed
	StaleGenerator Status = "stale-generator" // the inputs are the same, this program renders them otherwise
	Edited         Status = "edited"          // somebody changed the file
	Missing        Status = "missing"
	Orphan         Status = "orphan"  // ours, but nothing renders it any more
	Foreign        Status = "foreign" // stands where we would write, without our header
)

// OK reports whether the status passes the check.
func (s Status) OK() bool { return s == Current || s == PinsMoved }

// File is a generated file with its header.
type File struct {
	Path string // slash path relative to the repository root
	Data []byte
}

// Change compares one file. Old is nil when it is missing on disk, New when nothing renders it.
type Change struct {
	Path   string
	Status Status
	Cause  string // a sentence, lower case, no full stop
	Edited bool   // somebody changed the file after it was generated
	Old    []byte
	New    []byte
}

// Compare judges every wanted file and every file on disk that is ours, sorted by path. Disk holds the workflows of the
// repository by path; line ends do not matter.
func Compare(want []File, disk map[string][]byte) []Change {
	var changes []Change
	wanted := map[string]bool{}
	for _, file := range want {
		wanted[file.Path] = true
		old, exists := disk[file.Path]
		change := Change{Path: file.Path, New: file.Data}
		if !exists {
			change.Status, change.Cause = Missing, "it would be generated but does not exist"
		} else {
			change.Old = old
			change.Status, change.Cause = judge(normal(old), file.Data)
			change.Edited = change.Status == Edited
		}
		changes = append(changes, change)
	}
	for _, name := range slices.Sorted(maps.Keys(disk)) {
		if !wanted[name] && Generated(disk[name]) {
			change := Change{Path: name, Status: Orphan, Old: disk[name], Cause: "it was generated once, and nothing renders it any more"}
			was, body, ok := split(normal(disk[name]))
			if change.Edited = !ok || was.Body != bodyDigest(body); change.Edited {
				change.Cause += "; somebody changed it since"
			}
			changes = append(changes, change)
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return changes
}

func judge(old, fresh []byte) (Status, string) {
	if bytes.Equal(old, fresh) {
		return Current, ""
	}
	if !Generated(old) {
		return Foreign, "it stands where a workflow would be written, but has no header of garnix2gha"
	}
	was, oldBody, ok := split(old)
	is, freshBody, _ := split(fresh)
	if !ok {
		return Edited, "its header can not be read any more"
	}
	inputs := movedInputs(was.Inputs, is.Inputs)
	switch {
	case was.Body != bodyDigest(oldBody):
		cause := "somebody changed it after it was generated"
		if len(inputs) > 0 {
			cause += "; besides, " + strings.Join(inputs, ", ")
		}
		return Edited, cause
	case len(inputs) > 0:
		return StaleInputs, strings.Join(inputs, ", ")
	case bytes.Equal(oldBody, freshBody):
		return Edited, "somebody changed its header"
	case bytes.Equal(withoutPins(oldBody), withoutPins(freshBody)):
		return PinsMoved, "other pins: " + strings.Join(movedPins(oldBody, freshBody), ", ")
	}
	return StaleGenerator, "the inputs are unchanged, but this version of garnix2gha renders them otherwise"
}

func movedInputs(was, is map[string]string) []string {
	names := maps.Clone(was)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, is)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		before, had := was[name]
		now, has := is[name]
		switch {
		case !had:
			out = append(out, diag.Printable(name)+" was added")
		case !has:
			out = append(out, diag.Printable(name)+" was removed")
		case before != now:
			out = append(out, diag.Printable(name)+" changed")
		}
	}
	return out
}

func movedPins(old, fresh []byte) []string {
	var out []string
	ours := map[string]Pin{}
	for _, pin := range Pins(fresh) {
		ours[pin.Action] = pin
	}
	for _, pin := range Pins(old) {
		if ours[pin.Action] != pin {
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s@%.12s %s", pin.Action, pin.SHA, pin.Version)))
		}
	}
	return out
}

// Path returns where a workflow of the given base name lies.
func Path(name string) string { return path.Join(Dir, name) }

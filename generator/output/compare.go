package output

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"garnix2gha/generator/diag"
)

// Status says how a file on disk relates to what would be generated now.
type Status string

// The statuses. OK tells which are fine; the others want "garnix2gha generate".
const (
	Current        Status = "current"
	PinsMoved      Status = "pins"            // only pins of the same actions moved, as a bot moves them
	StaleInputs    Status = "stale-inputs"    // garnix.yaml, settings, lock or overlay changed
	StaleGenerator Status = "stale-generator" // the inputs are the same, this program renders them otherwise
	Edited         Status = "edited"          // somebody changed the file
	Missing        Status = "missing"
	Orphan         Status = "orphan"  // ours, but nothing renders it any more
	Foreign        Status = "foreign" // stands where we would write or where programs are loaded, without our header
)

// OK reports whether the status passes the check.
func (s Status) OK(strict bool) bool {
	return s == Current || s == PinsMoved || s == StaleGenerator && !strict
}

// Change compares one file. Old is nil when it is missing on disk, New when nothing renders it.
type Change struct {
	Path   string
	Status Status
	Cause  string // a sentence, lower case, no full stop
	Edited bool   // somebody changed the file after it was generated
	Old    []byte
	New    []byte // with the pins that a bot moved
}

// Compare judges every wanted file and every file on disk that is ours, sorted by path. Disk holds the repository's
// workflows, its targets.json and all that lies among the programs, by path. Workflows and targets.json are compared by
// what they say, whoever formatted them; programs with this program's own copy.
func Compare(want []File, disk map[string][]byte) []Change {
	then := historyOf(want, disk[Targets])
	var own ownPins
	var moved map[string]Pin // nil until the first file differs
	var changes []Change
	wanted := map[string]bool{}
	for _, file := range want {
		wanted[file.Path] = true
		old, exists := disk[file.Path]
		change := Change{Path: file.Path, Status: Current, Old: old, New: file.Data}
		if !exists || !bytes.Equal(old, file.Data) { // else, as nearly always, nothing has to be read
			if moved == nil {
				own = Pins(want...)
				moved, _ = Moved(own, disk)
			}
			change.Status, change.Cause = Missing, "it would be generated but does not exist"
			if exists {
				change.Status, change.Cause = then.judge(file, old, own)
			}
			change.Edited = change.Status == Edited
			change.New = own.withPins(file, old, moved)
			if change.Status == PinsMoved {
				change.New = old
			}
		}
		changes = append(changes, change)
	}
	for name, old := range disk {
		change := Change{Path: name, Old: old}
		program := strings.HasPrefix(name, Programs+"/")
		switch {
		case wanted[name]:
			continue
		case Ours(name, old):
			change.Status, change.Cause = Orphan, "it was generated once, and nothing renders it any more"
			if !program { // of one nobody can tell
				is, err := read(name, old)
				change.Edited = err != nil || is.edited()
			}
			if change.Edited {
				change.Cause += "; somebody changed it since"
			}
		case program:
			change.Status, change.Cause = Foreign, "it lies where the programs are loaded from, and is none of them"
		default:
			continue
		}
		changes = append(changes, change)
	}
	then.upgrade(changes)
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return changes
}

// history is what the committed targets.json tells of the last generation.
type history struct {
	known  bool   // there is one that can be read
	writer string // the version of this program that wrote it
	other  bool   // and that is not this version
	inputs string // what became of the inputs since, "" for nothing
}

func historyOf(want []File, committed []byte) history {
	i := slices.IndexFunc(want, func(f File) bool { return f.Path == Targets })
	var old, fresh map[string]any
	if i < 0 || json.Unmarshal(committed, &old) != nil || json.Unmarshal(want[i].Data, &fresh) != nil {
		return history{}
	}
	h := history{known: true, other: old["generator"] != fresh["generator"]}
	h.writer, _ = old["generator"].(string)
	before, _ := old["inputs"].(map[string]any)
	now, _ := fresh["inputs"].(map[string]any)
	names := map[string]any{}
	maps.Copy(names, before)
	maps.Copy(names, now)
	var changes []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, _ := before[name].(string)
		is, _ := now[name].(string)
		became := " changed"
		switch {
		case was == is:
			continue
		case was == "":
			became = " was added"
		case is == "":
			became = " was removed"
		}
		changes = append(changes, diag.Printable(name)+became)
	}
	h.inputs = strings.Join(changes, ", ")
	return h
}

// judge compares a file that is wanted with the one on disk.
func (h history) judge(file File, old []byte, own ownPins) (Status, string) {
	program := strings.HasPrefix(file.Path, Programs+"/")
	switch {
	case !Ours(file.Path, old):
		return Foreign, "it stands where garnix2gha would write, but does not come from it"
	case program && bytes.Equal(normal(old), normal(file.Data)):
		return Current, ""
	case program && h.other:
		return StaleGenerator, Targets + " says that garnix2gha " + diag.Printable(h.writer) + " wrote it, and only that version can vouch for it"
	case program:
		return Edited, "it is not what garnix2gha writes"
	}
	was, err := read(file.Path, old)
	is, _ := read(file.Path, file.Data)
	switch {
	case err != nil:
		return Edited, err.Error()
	case was.value == is.value:
		return Current, ""
	case was.edited() && h.inputs != "":
		return Edited, "somebody changed it after it was generated; besides, " + h.inputs
	case was.edited():
		return Edited, "somebody changed it after it was generated"
	case was.bare == is.bare:
		switch moved, behind := own.tell(was.pins); {
		case !behind && len(moved) > 0:
			return PinsMoved, "other pins: " + strings.Join(moved, ", ")
		case behind && h.inputs == "":
			return StaleGenerator, "it has older pins"
		}
	}
	switch {
	case h.inputs != "":
		return StaleInputs, h.inputs
	case !h.known:
		return StaleInputs, Targets + ", which tells what changed, cannot be read"
	case !h.other:
		// A digest that fits is no proof: whoever changes a file can count it again.
		return Edited, "it is not what this version of garnix2gha writes from these inputs"
	}
	return StaleGenerator, "the inputs are unchanged, but this version of garnix2gha renders them otherwise"
}

// upgrade lets targets.json name this version when another one wrote it and other files are written anew.
func (h history) upgrade(changes []Change) {
	other := func(c Change) bool { return c.Status != Current && c.Status != PinsMoved && c.Status != Foreign }
	if !h.other || !slices.ContainsFunc(changes, other) {
		return
	}
	for i := range changes {
		if changes[i].Path == Targets && changes[i].Status == Current {
			changes[i].Status, changes[i].Cause = StaleGenerator, "it names the version that wrote the other files"
		}
	}
}

// Ours reports whether a file comes from us. JSON has no comments: targets.json says so under "//".
func Ours(name string, content []byte) bool {
	if name == Targets {
		return bytes.Contains(content, []byte(`"//"`)) && bytes.Contains(content, []byte("garnix2gha generate"))
	}
	return Generated(content)
}

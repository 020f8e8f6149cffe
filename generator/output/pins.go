package output

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/document"
)

// Pin is one pinned action as a workflow names it.
type Pin struct {
	Action  string `json:"action"`  // owner/name, perhaps with a path
	SHA     string `json:"sha"`     // 40 hex digits
	Version string `json:"version"` // that the line comment names, "" without one
}

// use is a place in a workflow that pins an action.
type use struct {
	Pin
	at   diag.Pos
	node *yaml.Node
}

var commit = regexp.MustCompile(`^([A-Za-z0-9._-]+/[A-Za-z0-9._/-]+)@([0-9a-f]{40})$`)

// version finds what a comment calls the commit beside it, as Dependabot and Renovate do: "# v4.2.2", "# 4.2", "# pin @v4",
// "# tag=v4", "# tag: v4", "# renovate: tag=v4", "# ratchet:a/b@v4", each with a note behind it, or one word.
var version = regexp.MustCompile(`^#\s*(?:(?:renovate\s*:\s*)?(?:pin\s+|tag\s*[=:]\s*|ratchet:[\w./-]+)?@?(v?[0-9][\w.+-]{0,58})|([A-Za-z][\w./+-]{0,59})\s*$)`)

// usesIn lists the places from a node on that pin an action to a commit, whoever formatted them.
func usesIn(file string, root *yaml.Node) (found []use) {
	for n := range document.All(root) {
		_, value := document.Find(n, "uses")
		if m := commit.FindStringSubmatch(value.Value); m != nil {
			pin := Pin{Action: m[1], SHA: m[2]}
			if v := version.FindStringSubmatch(cmp.Or(value.LineComment, n.LineComment)); v != nil {
				pin.Version = v[1] + v[2]
			}
			found = append(found, use{pin, document.At(file, value), value})
		}
	}
	return found
}

// usesOf lists the places of workflows that pin an action; other files have none.
func usesOf(files ...File) (found []use) {
	for _, file := range files {
		if strings.HasPrefix(file.Path, Dir+"/") {
			root, _ := document.Read(file.Path, file.Data)
			found = append(found, usesIn(file.Path, root)...)
		}
	}
	return found
}

// Pins lists what workflows among the files pin, in order of appearance and each once.
func Pins(files ...File) []Pin { return distinct(usesOf(files...)) }

func distinct(uses []use) (pins []Pin) {
	seen := map[Pin]bool{}
	for _, use := range uses {
		if !seen[use.Pin] {
			seen[use.Pin] = true
			pins = append(pins, use.Pin)
		}
	}
	return pins
}

// OwnWorkflows returns the workflows on disk that are ours, sorted by path.
func OwnWorkflows(disk map[string][]byte) (files []File) {
	for _, name := range slices.Sorted(maps.Keys(disk)) {
		if strings.HasPrefix(name, Dir+"/") && Generated(disk[name]) {
			files = append(files, File{name, disk[name]})
		}
	}
	return files
}

// ownPins are the pins that would be written now. An overlay may add an action once more.
type ownPins []Pin

// place is 0 for a pin that is our own, 1 for one that was moved to another commit of no older version, or of none that
// can be compared, and -1 for one that our own is ahead of, as is one of the settings without a version.
func (own ownPins) place(pin Pin) int {
	place := -1
	for _, other := range own {
		switch {
		case other.Action != pin.Action:
		case other.SHA == pin.SHA:
			return 0
		case !older(pin.Version, other.Version) && (release.MatchString(other.Version) || !release.MatchString(pin.Version)):
			place = 1
		}
	}
	return place
}

// tell names the pins that were moved, and tells whether any lags behind.
func (own ownPins) tell(pins []Pin) (moved []string, behind bool) {
	for _, pin := range pins {
		switch own.place(pin) {
		case 1:
			moved = append(moved, strings.TrimSpace(fmt.Sprintf("%s@%.12s %s", pin.Action, pin.SHA, pin.Version)))
		case -1:
			behind = true
		}
	}
	return moved, behind
}

// Moved lists by action the pins that a bot moved away from those that would be written now, in workflows on disk that
// are ours; of several it is the newest. Those whose version cannot be compared are loose: they stay where they stand.
func Moved(own []Pin, disk map[string][]byte) (moved map[string]Pin, loose []Pin) {
	moved = map[string]Pin{}
	for _, pin := range Pins(OwnWorkflows(disk)...) {
		newest, again := moved[pin.Action]
		switch {
		case ownPins(own).place(pin) <= 0:
		case !release.MatchString(pin.Version):
			loose = append(loose, pin)
		case !again || older(newest.Version, pin.Version):
			moved[pin.Action] = pin
		}
	}
	return moved, loose
}

// withPins returns what was rendered with moved pins in the place of those that are no newer. A moved pin that is not
// surely older stays where the workflow on disk has it: at the same use of the action, counted from the first.
func (own ownPins) withPins(file File, old []byte, moved map[string]Pin) []byte {
	stand := map[string][]Pin{} // by action
	for _, use := range usesOf(OwnWorkflows(map[string][]byte{file.Path: old})...) {
		stand[use.Action] = append(stand[use.Action], use.Pin)
	}
	lines := strings.Split(string(file.Data), "\n")
	for _, use := range usesOf(file) {
		pin, ok := moved[use.Action]
		if here := stand[use.Action]; len(here) > 0 {
			stand[use.Action] = here[1:]
			if own.place(here[0]) > 0 && !older(here[0].Version, pin.Version) {
				pin, ok = here[0], true
			}
		}
		if ok && !older(pin.Version, use.Version) {
			line := &lines[use.at.Line-1]
			*line = strings.TrimRight((*line)[:use.at.Column-1]+pin.Action+"@"+pin.SHA+" # "+pin.Version, "# ")
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

// Contradictions tells where a workflow that is ours names a commit and a version that do not belong together, by the
// known pins and by what our workflows say elsewhere: the comment is wrong, or the tag moved.
func Contradictions(disk map[string][]byte, known []Pin, severity diag.Severity) diag.List {
	var all []use
	for _, pin := range known {
		all = append(all, use{Pin: pin})
	}
	all = append(all, usesOf(OwnWorkflows(disk)...)...)
	var diags diag.List
	told := map[Pin]bool{}
	said := map[string]use{} // the first of an action and commit, and of an action and version
	for _, u := range all {
		for _, key := range []string{u.Action + "@" + u.SHA, u.Action + " " + strings.TrimLeft(u.Version, "vV")} {
			first, again := said[key]
			switch {
			case u.Version == "" || told[u.Pin]:
			case !again:
				said[key] = u
			case first.SHA != u.SHA || older(first.Version, u.Version) || older(u.Version, first.Version):
				told[u.Pin] = true
				diags.Add(severity, u.at, "pin-mismatch",
					`look the commit up: either it is wrong, and "garnix2gha generate --force" puts ours back, or the tag moved, and "garnix2gha pins keep" keeps it`,
					"%s@%.12s is %s by its comment, but %s has %.12s as %s", u.Action, u.SHA, u.Version,
					cmp.Or(first.at.String(), "what garnix2gha would write"), first.SHA, first.Version)
			}
		}
	}
	return diags
}

// release is a version that can be compared: v7, V7.0, 7.0.1, v7.0.1-rc1.
var release = regexp.MustCompile(`^[vV]?0*(\d+)(?:\.0*(\d+)(?:\.0*(\d+)(-[\w.-]+)?)?)?(?:\+[\w.-]+)?$`)

// older tells whether one version is surely older than another, by the numbers that both give; a release candidate is
// older than its release. What is no version, or is none of these, is neither older nor newer than anything.
func older(a, b string) bool {
	left, right := release.FindStringSubmatch(a), release.FindStringSubmatch(b)
	if left == nil || right == nil {
		return false
	}
	for i := 1; i <= 3; i++ {
		x, y := left[i], right[i]
		if x == "" || y == "" {
			return false
		}
		if order := cmp.Or(len(x)-len(y), strings.Compare(x, y)); order != 0 {
			return order < 0
		}
	}
	return left[4] != "" && right[4] == ""
}

package output

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// uses matches a step's pinned action and the comment that names its version, however a formatter writes them.
var uses = regexp.MustCompile(`(?m)^(\s*(?:- )?uses: +["']?)([A-Za-z0-9._-]+/[A-Za-z0-9._/-]+)@([0-9a-f]{40})(["']?)(?: +#[ \t]*(\S+))?[ \t\r]*$`)

// Pin is one pinned action as a workflow names it.
type Pin struct {
	Action  string `json:"action"`  // owner/name, perhaps with a path
	SHA     string `json:"sha"`     // 40 hex digits
	Version string `json:"version"` // the line comment, "" without one
}

// Pins lists the pinned actions of a workflow in order of appearance, each once.
func Pins(content []byte) []Pin {
	var pins []Pin
	seen := map[Pin]bool{}
	for _, m := range uses.FindAllSubmatch(content, -1) {
		pin := Pin{Action: string(m[2]), SHA: string(m[3]), Version: string(m[5])}
		if !seen[pin] {
			seen[pin] = true
			pins = append(pins, pin)
		}
	}
	return pins
}

// moved lists the pins that a bot put into an old version of a fresh file: another commit, of no older version.
func moved(old, fresh []byte) map[string]Pin {
	ours := map[string]Pin{}
	for _, pin := range Pins(fresh) {
		ours[pin.Action] = pin
	}
	out := map[string]Pin{}
	for _, pin := range Pins(old) {
		if own, ok := ours[pin.Action]; ok && own.SHA != pin.SHA && !older(pin.Version, own.Version) {
			out[pin.Action] = pin
		}
	}
	return out
}

// withPins replaces the pins of actions.
func withPins(content []byte, pins map[string]Pin) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(content) {
		if m := uses.FindSubmatch(line); m != nil {
			if pin, ok := pins[string(m[2])]; ok {
				line = fmt.Appendf(nil, "%s%s@%s%s # %s", m[1], pin.Action, pin.SHA, m[4], pin.Version)
				line = append(bytes.TrimRight(line, "# "), '\n')
			}
		}
		out.Write(line)
	}
	return out.Bytes()
}

// older compares versions such as v7.0.1 by their numbers; one without numbers is not older.
func older(a, b string) bool {
	left, right := numbers(a), numbers(b)
	for i := range min(len(left), len(right)) {
		if left[i] != right[i] {
			return left[i] < right[i]
		}
	}
	return false
}

func numbers(version string) []int {
	var out []int
	for part := range strings.SplitSeq(strings.TrimPrefix(version, "v"), ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		out = append(out, n)
	}
	return out
}

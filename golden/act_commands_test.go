package golden_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// actAnnotation is a workflow command that GitHub shows beside the run.
type actAnnotation struct {
	level, title, message string
}

func (a actAnnotation) String() string { return a.level + ": " + a.title + ": " + a.message }

// actCommands obeys workflow commands as GitHub's runner does (ActionCommand.cs), which is not quite as act does: leading
// blanks do not count, a carriage return ends a line, properties end at the first "::", and "##[command]" counts anywhere.
type actCommands struct {
	stopped     string // token that resumes, "" when commands are obeyed
	annotations []actAnnotation
	others      []string // commands obeyed that are neither annotations nor groups
}

// line reads a line that a step printed.
func (c *actCommands) line(printed string) {
	for part := range strings.SplitSeq(strings.ReplaceAll(printed, "\r", "\n"), "\n") {
		name, properties, data, ok := c.parse(part)
		switch {
		case !ok:
		case c.stopped != "":
			if name == c.stopped {
				c.stopped = ""
			}
		case name == "stop-commands":
			c.stopped = data
		case slices.Contains([]string{"error", "warning", "notice"}, name):
			c.annotations = append(c.annotations, actAnnotation{level: name, title: properties["title"], message: data})
		case !slices.Contains([]string{"group", "endgroup", "debug"}, name):
			c.others = append(c.others, part)
		}
	}
}

func (c *actCommands) parse(line string) (name string, properties map[string]string, data string, ok bool) {
	registered := []string{"error", "warning", "notice", "debug", "group", "endgroup", "stop-commands", "add-mask", "echo",
		"set-output", "save-state", "set-env", "add-path", "add-matcher", "remove-matcher", "internal-set-repo-path"}
	if c.stopped != "" {
		registered = append(registered, c.stopped)
	}
	info, rest, separator := "", "", ","
	if trimmed, ok := strings.CutPrefix(strings.TrimLeft(line, " \t\v\f"), "::"); ok {
		if info, rest, ok = strings.Cut(trimmed, "::"); !ok {
			info = ""
		}
	}
	name, list, _ := strings.Cut(info, " ")
	if !slices.Contains(registered, name) {
		_, trimmed, ok := strings.Cut(line, "##[")
		if !ok {
			return "", nil, "", false
		}
		info, rest, ok = strings.Cut(trimmed, "]")
		name, list, _ = strings.Cut(info, " ")
		if !ok || !slices.Contains(registered, name) {
			return "", nil, "", false
		}
		separator = ";"
	}
	properties = map[string]string{}
	for property := range strings.SplitSeq(list, separator) {
		key, value, _ := strings.Cut(property, "=")
		properties[strings.TrimSpace(key)] = actUnescape.Replace(value)
	}
	return name, properties, actUnescape.Replace(rest), true
}

// Only read, never changed.
var actUnescape = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%")

func TestExecutedCommandsAreObeyedAsByTheRunner(t *testing.T) {
	t.Parallel()
	var c actCommands
	for _, printed := range []string{
		"::stop-commands::abc", "::error::ignored", "x\r::error::ignored", "##[error]ignored", "::ABC::", "::abc::",
		"  ::error title=a%3A%3Ab%2Cc,file=x::one%0Atwo%253A::three", "text\r::warning::return", "text ##[notice title=t]anywhere",
		"::unknown::no", ":: error::no", "::error no end", "::add-mask::m", "::group::g",
	} {
		c.line(printed + "\n")
	}
	require.Equal(t, []actAnnotation{
		{level: "error", title: "a::b,c", message: "one\ntwo%3A::three"},
		{level: "warning", message: "return"},
		{level: "notice", title: "t", message: "anywhere"},
	}, c.annotations)
	require.Equal(t, []string{"::add-mask::m"}, c.others)
}

package golden_test

import "strings"

// scriptHostile are names that a flake may give its outputs.
func scriptHostile() []string {
	return []string{
		"with space", "it's", `say "hi"`, "$(touch pwned)", "`touch pwned`", "line\nbreak\n::error::forged", "::error::forged",
		"::set-output name=x::y", "a${" + "{ github.token }}", "\x1b[31mred", "*bold* [link](http://127.0.0.1) <img src=x>", "| cell |", "-rf", "--help",
		"##[error]forged", "%0A::error::forged", "a,b:c", "#", "?", "@", "\\", "..", "/", "\u202egnp",
	}
}

// scriptAnnotations are the commands that a runner would obey in a log: "level|title|message".
func scriptAnnotations(log string) []string {
	var found []string
	stopped := ""
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		switch {
		case stopped != "":
			if line == "::"+stopped+"::" {
				stopped = ""
			}
		case strings.HasPrefix(line, "::stop-commands::"):
			stopped = strings.TrimPrefix(line, "::stop-commands::")
		case strings.HasPrefix(line, "::"):
			head, message, _ := strings.Cut(line[2:], "::")
			level, properties, _ := strings.Cut(head, " ")
			unescape := strings.NewReplacer("%0A", "\n", "%0D", "\r", "%3A", ":", "%2C", ",", "%25", "%")
			found = append(found, level+"|"+unescape.Replace(strings.TrimPrefix(properties, "title="))+"|"+unescape.Replace(message))
		case strings.Contains(line, "##["):
			found = append(found, "legacy||"+line)
		}
	}
	if stopped != "" {
		found = append(found, "never resumed||")
	}
	return found
}

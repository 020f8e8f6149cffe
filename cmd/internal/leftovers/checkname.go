package leftovers

import "regexp"

// The names that garnix gave its checks, apart from those that hold its own name. A backslash may stand before a bracket:
// merge bots match by regular expressions.
const checkSystem = `\\*\[(?:x86_64|aarch64|i686)-(?:linux|darwin)`

var (
	// What nothing else looks like.
	clearCheck = regexp.MustCompile(`\b(?:package|check|devShell) [^\s"'][^"'\n]*? ` + checkSystem + `|\bdefault (?:package|devShell) ` + checkSystem +
		`|\b(?:nixosConfig|homeConfig|darwinConfig) [^\s"'|&,)\]}]`)
	// What counts only as a whole: quoted, compared, the value of a check or context, or an item of a list.
	vagueCheck = regexp.MustCompile(`(?:["'=]|(?:check|context)[\w-]*["']?[ \t]*[:=~]+[ \t]*|^[ \t]*-[ \t]+)((?:app|action) [\w.-]+|Evaluate flake\.nix|FOD checks)(?:["'\]),}]|[ \t]*\r?\n?$)`)
	// The name of a job, a step or a rule, which is no check's.
	namedLine = regexp.MustCompile(`^[ \t]*(?:- )?["']?name["']?[ \t]*[:=]`)
)

// checkName returns where a line names a check of garnix without garnix's name, -1 if it does not or the file is none
// that goes by checks.
func (d *document) checkName(line string) int {
	if d.place == "" {
		return -1
	}
	if at := clearCheck.FindStringIndex(line); at != nil {
		return at[0]
	}
	if at := vagueCheck.FindStringSubmatchIndex(line); at != nil && !namedLine.MatchString(line) {
		return at[2]
	}
	return -1
}

// A text file, line by line, what it is for, and the names of checks in it.

package leftovers

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"garnix2gha/generator/diag"
)

const keepMark = "garnix2gha: keep" // on a line that names garnix on purpose

type document struct {
	path  string
	lines []string // as they are, with their line ends
	fixed []string // as they become; "" is a line that goes
	class class
	place Kind // where checks are named: KindProtection, KindAutomerge or KindCheckWait; "" elsewhere
	opts  Options
	known []string // what may be named: the tool, the new cache, and garnix.yaml as long as it is there
}

// newDocument reads a file, which has no lines if there can be no trace in it.
func newDocument(path, text string, opts Options, known []string) *document {
	low := lowered(text)
	d := &document{path: path, opts: opts, known: known, class: classify(lowered(path), low)}
	d.place = d.class.place(lowered(path), low)
	if d.place == "" && !strings.Contains(low, "garnix") && !strings.Contains(text, keyStart) {
		return d
	}
	d.lines = strings.SplitAfter(text, "\n")
	if last := len(d.lines) - 1; d.lines[last] == "" {
		d.lines = d.lines[:last]
	}
	d.fixed = append(d.fixed, d.lines...)
	return d
}

// mention returns where a line first names garnix, -1 if nowhere, and whether it then holds the word in a form that may stay.
func (d *document) mention(line string) (at int, known bool) {
	masked := lowered(line)
	for _, text := range d.known {
		masked = strings.ReplaceAll(masked, text, strings.Repeat("_", len(text)))
	}
	at = strings.Index(masked, "garnix")
	known = at < 0 && strings.Contains(lowered(line), "garnix")
	for _, other := range []int{strings.Index(line, keyStart), d.checkName(line)} {
		if other >= 0 && (at < 0 || other < at) {
			at = other
		}
	}
	return at, known
}

func (d *document) pos(line, at int) diag.Pos {
	before := strings.TrimPrefix(d.lines[line][:at], "\ufeff")
	return diag.Pos{File: d.path, Line: line + 1, Column: utf8.RuneCountInString(before) + 1}
}

// ended splits a line from its line end.
func ended(line string) (body, end string) {
	body = strings.TrimRight(line, "\r\n")
	return body, line[len(body):]
}

// isComment knows the lines that are comments in Nix, YAML, TOML, the shell and their like.
func isComment(line string) bool {
	text := strings.TrimSpace(line)
	return strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "#!") || strings.HasPrefix(text, "//")
}

// lowered lowers ASCII letters only, so that offsets stay.
func lowered(s string) string {
	out := []byte(s)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return string(out)
}

// class is what a file is for, as far as a mention of garnix in it is concerned.
type class int

const (
	classOther  class = iota
	classOwn          // written by garnix2gha, or its input
	classRecord       // licences and changelogs: what was stays true
	classConfig       // garnix.yaml
	classLock         // flake.lock
	classPatch        // its context must match other files
	classNix
	classNixConf
	classProse
)

// lazily compiles an expression when it is first needed: most commands need none of them.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// The expressions are for lowered paths and lowered text.
var (
	configName  = lazily(`^\.?garnix\.ya?ml$`)
	recordName  = lazily(`^(?:(?:un)?licen[cs]e|copying|notice|authors|changelog|changes|history|news|releases?)(?:-[a-z0-9_]+)?(?:\.(?:md|markdown|txt|rst|org|adoc|html?))?$`)
	nixConfName = lazily(`(?:^|/)[^/]*nix\.conf$|(?:^|/)nix\.custom\.conf$|nix\.conf\.d/[^/]*\.conf$`)
	proseName   = lazily(`\.(?:md|markdown|mdx|mkd|html?|org|rst|adoc|asciidoc|txt|tex|typ)$|(?:^|/)(?:readme|contributing)$`)
	ownHeader   = lazily(`^(?:[ \t]*(?:#[^\n]*)?\n)*?[ \t]*#[^\n]*generated[^\n]*garnix2gha`)

	automergeName  = lazily(`^(?:\.github/|\.gitlab/)?\.?(?:mergify|renovate(?:rc)?|bors|kodiak|bulldozer|auto-?merge)(?:\.(?:ya?ml|json5?|toml))?$|^\.mergify/`)
	protectionName = lazily(`^\.github/settings\.|(?:^|/)rulesets?/|(?:^|/)[^/]*rulesets?\.(?:json|ya?ml)$`)

	// How rules on checks are written, and the programs, events and interfaces by which a workflow or script waits.
	protectionText = lazily(`required_status_check|requiredstatuscheck`)
	waitText       = lazily(`wait-(?:on|for)-check|check[-_](?:run|suite)|statuscheckrollup|gh pr checks` +
		`|workflow[-_]conclusion|/status|github\.event\.(?:context|state)`)
)

// classify goes by the path, and by the text of what may be a generated workflow. Both are lowered.
func classify(name, text string) class {
	base, ext := path.Base(name), path.Ext(name)
	switch {
	case strings.HasPrefix(name, ".github/garnix2gha/"), strings.HasPrefix(name, ".github/workflows/") && ownHeader().MatchString(text):
		return classOwn
	case configName().MatchString(base):
		return classConfig
	case base == "flake.lock":
		return classLock
	case ext == ".patch" || ext == ".diff":
		return classPatch
	case ext == ".nix":
		return classNix
	case nixConfName().MatchString(name):
		return classNixConf
	case recordName().MatchString(base):
		return classRecord
	case proseName().MatchString(name):
		return classProse
	}
	return classOther
}

// place tells where the names of checks are looked for, and what goes by them there.
func (c class) place(name, text string) Kind {
	switch {
	case slices.Contains([]class{classOwn, classRecord, classConfig, classLock, classPatch, classProse}, c):
		return ""
	case automergeName().MatchString(name):
		return KindAutomerge
	case protectionName().MatchString(name), protectionText().MatchString(text):
		return KindProtection
	case waitText().MatchString(text):
		return KindCheckWait
	}
	return ""
}

// The names that garnix gave its checks, apart from those that hold its own name. A backslash may stand before a bracket:
// merge bots match by regular expressions.
const checkSystem = `\\*\[(?:x86_64|aarch64|i686)-(?:linux|darwin)`

var (
	// What nothing else looks like.
	clearCheck = lazily(`\b(?:package|check|devShell) [^\s"'][^"'\n]*? ` + checkSystem + `|\bdefault (?:package|devShell) ` + checkSystem +
		`|\b(?:nixosConfig|homeConfig|darwinConfig) [^\s"'|&,)\]}]`)
	// What counts only as a whole: quoted, compared, the value of a check or context, or an item of a list.
	vagueCheck = lazily(`(?:["'=]|(?:check|context)[\w-]*["']?[ \t]*[:=~]+[ \t]*|^[ \t]*-[ \t]+)((?:app|action) [\w.-]+|Evaluate flake\.nix|FOD checks)(?:["'\]),}]|[ \t]*\r?\n?$)`)
	// The name of a job, a step or a rule, which is no check's.
	namedLine = lazily(`^[ \t]*(?:- )?["']?name["']?[ \t]*[:=]`)
)

// checkName returns where a line of a file that goes by checks names one of garnix's that lacks its name, -1 if nowhere.
func (d *document) checkName(line string) int {
	if d.place == "" {
		return -1
	}
	if at := clearCheck().FindStringIndex(line); at != nil {
		return at[0]
	}
	if at := vagueCheck().FindStringSubmatchIndex(line); at != nil && !namedLine().MatchString(line) {
		return at[2]
	}
	return -1
}

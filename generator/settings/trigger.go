package settings

import (
	"regexp"
	"strings"

	"garnix2gha/generator/diag"
)

// Triggers say what starts the build workflow.
type Triggers struct {
	PushBranches []Pattern // never empty
	PullRequests PullRequests
	MergeGroup   bool
	Dispatch     bool // by hand and by bots
}

// PullRequests says which pull requests are built.
type PullRequests string

// The choices for pull requests.
const (
	Forks PullRequests = "forks" // as garnix: a branch of the repository itself is built by its push
	All   PullRequests = "all"   // every pull request; PushBranches are then named ones
	None  PullRequests = "none"
)

// Pattern is a branch filter as GitHub reads it: "*" is any run of characters but "/", "**" any run at all, and "?"
// makes the character before it optional. It selects branches and never excludes any.
type Pattern string

// everything reports whether the pattern is there to match all branches.
func (b Pattern) everything() bool { return strings.Trim(string(b), "*/") == "" }

var (
	patternText = regexp.MustCompile(`^[\p{L}\p{N}._*#@][\p{L}\p{N}._/@#%=,*?-]*$`)
	patternSlip = regexp.MustCompile(`[*?/]\?|\*\*\*|//|\.\.|[/.]$|\.lock$`)
)

func (p *parser) triggers(v value, t *Triggers) {
	p.mapping(v, fields{
		"push-branches": func(v value) {
			p.patterns(v, &t.PushBranches, "name the branches, or leave the key out for every branch")
		},
		"pull-requests": func(v value) { choice(p, v, &t.PullRequests, Forks, All, None) },
		"merge-group":   func(v value) { p.boolean(v, &t.MergeGroup) },
		"dispatch":      func(v value) { p.boolean(v, &t.Dispatch) },
	})
}

// patterns reads a list of branch patterns that must not be empty.
func (p *parser) patterns(v value, dst *[]Pattern, emptyHint string) {
	texts, ok := p.someTexts(v, false, emptyHint, checkPattern)
	if !ok {
		return
	}
	*dst = make([]Pattern, len(texts))
	for i, text := range texts {
		(*dst)[i] = Pattern(text)
	}
}

func checkPattern(text string) *problem {
	const code = "branch-pattern"
	switch {
	case strings.HasPrefix(text, "!"):
		return &problem{code: code, hint: "list the branches that are wanted", message: "must not exclude branches"}
	case strings.HasPrefix(text, "refs/"):
		return &problem{code: code, hint: "write the branch alone, without refs/heads/", message: "must be a branch, not a full ref"}
	case len(text) > 255 || !patternText.MatchString(text) || patternSlip.MatchString(text):
		return &problem{code: code, hint: `use a branch name in which *, ** and ? are wildcards, for example "release/**"`,
			message: "must be a branch pattern"}
	}
	return nil
}

// checkTriggers refuses to build the same commit twice, by its push and by its pull request.
func (p *parser) checkTriggers(t Triggers) {
	if t.PullRequests != All || p.faulty["triggers.push-branches"] {
		return
	}
	for _, branch := range t.PushBranches {
		if branch.everything() {
			p.fault("triggers.pull-requests", "double-build", "name the branches that are built on push, for example push-branches: [main]",
				"triggers.pull-requests: all builds every pull request, whose commits the pushes to %s build already", diag.Excerpt(string(branch)))
			return
		}
	}
}

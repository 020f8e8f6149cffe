package report

import (
	"cmp"
	"fmt"

	"garnix2gha/generator/plan"
	"garnix2gha/generator/settings"
)

// Step is one thing to do by hand.
type Step struct {
	Title    string   `json:"title"`
	Why      string   `json:"why"`
	Commands []string `json:"commands"` // they run as they stand, once NAME is filled in
}

// steps lists what is left to do by hand, in order.
func steps(p *plan.Plan) []Step {
	out := []Step{}
	for _, name := range p.Files() {
		if file := ".github/workflows/" + name; p.Input.Foreign[file] != nil {
			out = append(out, Step{"Make room for " + file, "garnix2gha did not write the file of that name, and generate does not overwrite it: move it away, " +
				"or choose another name under files: in the settings", []string{}})
		}
	}
	if p.Build != nil {
		out = append(out, cacheStep(p.Input)...)
	}
	if p.Build != nil || p.Actions != nil {
		why := "a token of this one cache that may write, never a personal one"
		if p.Actions != nil {
			why += "; for actions that decrypt, a new age key"
		}
		out = append(out, Step{"Give Actions its secrets", why, []string{"garnix2gha secrets sync"}})
	}
	if p.Build == nil {
		return out
	}
	return append(out,
		Step{"Push .github and prove the cache", "it is proven when every output of every target is in it", []string{"garnix2gha cache verify"}},
		Step{"Move the required check", "a rule that demands it from garnix's app waits for ever", []string{"garnix2gha required-check"}},
		Step{"Let the bots in", "what a workflow pushes with GITHUB_TOKEN starts no run, and the pull request it opens waits for \"Approve workflows to run\"; " +
			"with the token of an App or a person it runs at once. A run started by hand satisfies no required check", []string{}},
		Step{"Remove what garnix left", "its dead substituter costs seconds in every nix command", []string{"garnix2gha leftovers", "garnix2gha retire"}},
	)
}

func cacheStep(in plan.Input) []Step {
	c := in.Settings.Cache
	switch c.Backend {
	case settings.Cachix:
		if c.Name != "" {
			return nil
		}
		step := Step{"Make a Cachix cache and name it in the settings", "nothing is pushed until then, and forks read the name nowhere else",
			[]string{"garnix2gha cache create NAME", "garnix2gha init --cache NAME", "garnix2gha generate"}}
		if has := caches(in); len(has) > 0 {
			sentence, name := proposal(has)
			step.Why = sentence + "; " + step.Why
			if has[0].pushes {
				step.Title, step.Commands = "Name your Cachix cache in the settings", []string{"garnix2gha init --cache " + name, "garnix2gha generate"}
			}
		}
		return []Step{step}
	case settings.Attic:
		public := "--public " // attic makes a private cache unless it is told otherwise
		if c.Private {
			public = ""
		}
		return []Step{{"Make the attic cache", "nothing is pushed until it exists", []string{"attic cache create " + public + c.Name}}}
	}
	return nil
}

// Standing is how far the generated files, and what they were made from, have got. What nobody knows counts as done.
type Standing struct {
	Committed bool // they are as in the last commit
	Pushed    bool // a remote has that commit
	Merged    bool // the default branch has these files
	HTTPS     bool // commits are pushed with a token, not with a key
	Trunk     bool // the default branch is checked out
	Converted bool // the last commit has such files, current or not
}

// Next returns the lines that "generate" ends with: the first thing that is known to be left, and where the rest is.
func Next(p *plan.Plan, at Standing) []string {
	step := ""
	switch {
	case p.Build == nil && p.Actions == nil:
		if !at.Committed {
			return []string{"next: commit the result; the configuration selects no target, so no workflow is needed"}
		}
	case p.Build != nil && p.Common.Store.Variable != "" && !p.Input.Settings.Given("cache.name-variable"):
		sentence, name := proposal(caches(p.Input))
		step = fmt.Sprintf("garnix2gha init --cache %s, and generate again: %s", name,
			cmp.Or(sentence, "the settings name no cache, and forks read its name nowhere else"))
	case !at.Committed:
		step = "commit the files and open a pull request"
		if at.Trunk {
			step = "commit the files on a branch (git switch -c github-actions) and open a pull request"
		}
		if !at.Converted {
			step += `, with "garnix2gha report" as its text`
		}
	case !at.Pushed && at.HTTPS:
		step = "push the commit; a token that may not push workflows gets the right to by: gh auth refresh --scopes workflow"
	case !at.Pushed:
		step = "push the commit"
	case !at.Merged:
		step = `open a pull request if there is none (garnix2gha report | gh pr create --title TITLE --body-file -), and merge it once "garnix2gha secrets sync" shows that Actions have the token: schedules and runs by hand start from the default branch only`
	}
	if step == "" {
		return nil
	}
	return []string{"next: " + step, "the whole list: garnix2gha report"}
}

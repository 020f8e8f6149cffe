package report

import (
	"fmt"

	"garnix2gha/generator/plan"
	"garnix2gha/generator/settings"
)

// steps lists what is left to do by hand, in order.
func steps(in Input) []Step {
	var out []Step
	if in.Plan.Build != nil {
		out = append(out, cacheSteps(in.Settings)...)
	}
	if in.Plan.Actions != nil {
		for _, action := range in.Plan.Actions.Jobs {
			out = append(out, keyStep(action))
		}
	}
	if in.Plan.Build != nil {
		out = append(out,
			Step{
				Title: "Ask who may push",
				Why:   "whoever may push a branch can write to the cache that main reads; with many writers, name the branches under cache.push-refs",
			},
			Step{
				Title:    "Run it and prove the cache",
				Why:      "the cache counts as proven when every output of every target is in it",
				Commands: []string{"gh workflow run " + in.Plan.Build.File, "garnix2gha cache verify"},
			},
			Step{
				Title: "Move the required check",
				Why: fmt.Sprintf("rules that demand %q from the app garnix-ci wait for ever; the same name now comes from GitHub Actions (app 15368)",
					in.Plan.Build.Aggregate),
				Commands: []string{"garnix2gha required-check"},
			},
			Step{
				Title: "Let the bots in",
				Why: "a pull request that a workflow opened with GITHUB_TOKEN (a lock-update bot) is built once somebody clicks \"Approve workflows to run\" on it; " +
					"with the token of a GitHub App or of a person the bot's pushes are built at once. A run started by hand satisfies no required check",
			},
			Step{
				Title:    "Remove what garnix left",
				Why:      "its dead substituter costs seconds in every nix command",
				Commands: []string{"garnix2gha leftovers", "garnix2gha leftovers --fix", "garnix2gha retire"},
			},
		)
	}
	return out
}

func cacheSteps(s *settings.Settings) []Step {
	switch b := s.Cache.Backend.(type) {
	case settings.Cachix:
		step := Step{Title: "Make the Cachix cache", Why: "nothing is pushed and Cache Only fails until it exists",
			Commands: []string{"garnix2gha cache create <name>", "garnix2gha cache inspect"}}
		var commands []string
		if b.Name == "" {
			commands = append(commands, "gh variable set "+b.NameVariable+" --body <name>")
		}
		commands = append(commands, "gh secret set "+s.Cache.TokenSecret)
		return []Step{step, {
			Title:    "Tell GitHub",
			Why:      "use a token of this one cache with write access, never a personal one",
			Commands: commands,
		}}
	case settings.Store:
		var commands []string
		if b.S3 != nil {
			commands = append(commands, "gh secret set "+b.S3.AccessKey, "gh secret set "+b.S3.SecretKey)
		}
		if b.SigningKeySecret != "" {
			commands = append(commands, "gh secret set "+b.SigningKeySecret)
		}
		return []Step{{Title: "Make the store and its credentials", Why: "nothing is pushed until nix copy can write to it", Commands: commands}}
	case settings.Attic:
		public := "--public " // attic makes a private cache unless it is told otherwise
		if s.Cache.Private {
			public = ""
		}
		return []Step{{
			Title: "Make the attic cache", Why: "the token needs pull and push on this one cache",
			Commands: []string{"attic cache create " + public + b.Name, "gh secret set " + s.Cache.TokenSecret},
		}}
	}
	return nil
}

func keyStep(action plan.Action) Step {
	return Step{
		Title: "New age key for the action " + action.Name,
		Why:   "garnix never let its private keys out; an action that decrypts nothing needs no key",
		Commands: []string{
			"age-keygen -o action.key",
			"gh secret set " + action.Secret + " < action.key",
		},
	}
}

// Next returns the lines that "generate" ends with, three at most: the whole list is the report's.
func Next(in Input) []string {
	if in.Plan.Build == nil && in.Plan.Actions == nil {
		return []string{"next: nothing; the configuration selects no target, so no workflow is needed"}
	}
	lines := []string{"next: commit .github and push it (a token that pushes workflows needs the scope \"workflow\")"}
	if in.Plan.Build != nil {
		line := "next: garnix2gha secrets sync (the cache's token)"
		if in.Plan.Common.Store.Variable != "" {
			line = "next: garnix2gha init --cache NAME, generate again, and garnix2gha secrets sync (the cache's name and token)"
		}
		lines = append(lines, line)
	}
	return append(lines, `the whole list: garnix2gha report`)
}

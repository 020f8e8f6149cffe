// The steps that lead from a cache to a CI that pushes to it.

package main

import (
	"strings"

	"garnix2gha/cmd/internal/cachix"
)

// syncStep is the one way to store secrets.
const syncStep = "store the token and the cache's name in GitHub: garnix2gha secrets sync --token env:" + tokenVariable + " --apply"

// generateStep is for what was generated before the settings named the cache.
const generateStep = "generate again, since the workflows do not know the cache yet, and commit the result: garnix2gha generate"

// nameSteps put a cache's name into the settings, and from there into the workflows.
func nameSteps(name string) []string {
	return []string{"put the cache into the settings: garnix2gha init --cache " + name, generateStep}
}

// tokenSteps are how to come by a token that is right for CI, and to store it.
func tokenSteps(client cachix.Client, name string) []string {
	return []string{
		"make a token for this cache alone, with write permission and an expiry date: " + client.Page("/cache/"+name) + ", Settings, Auth Tokens",
		"put that token into " + tokenVariable + " and " + syncStep,
	}
}

// afterCreation is what is left to do once a cache is there; named tells that the settings name it.
func afterCreation(client cachix.Client, name string, named bool) []string {
	if named {
		return append([]string{generateStep}, tokenSteps(client, name)...)
	}
	return append(nameSteps(name), tokenSteps(client, name)...)
}

// byHand is the way to a cache through the web pages.
func byHand(client cachix.Client, name string) []string {
	steps := []string{"option A, by hand: make the cache at " + client.Page("/cache")}
	for _, step := range afterCreation(client, name, false) {
		steps = append(steps, "option A: "+step)
	}
	return steps
}

// waysToACache are the two ways to a cache.
func waysToACache(client cachix.Client, name string) []string {
	return append(byHand(client, name),
		"option B, with a personal token ("+client.Page("/personal-auth-tokens")+"): garnix2gha cache create "+name)
}

// afterInspection is the way from what was found to a CI that pushes; named tells that the settings name the cache.
func afterInspection(client cachix.Client, in cachix.Inspection, named bool) []string {
	var steps []string
	pushes := in.Verdict == cachix.DataPlane && in.TokenCache == "" && in.Cache.Permission == cachix.Write
	switch {
	case in.State == cachix.Unreachable:
		return []string{"try again when the service is reachable"}
	case in.Verdict == cachix.AccountWide && in.State == cachix.Hidden:
		return []string{"make the cache, which this token can do: garnix2gha cache create " + in.Name}
	case in.Verdict == cachix.AccountWide && in.Cache.Permission == cachix.Read:
		return []string{"choose another name: this cache is someone else's"}
	case pushes && named:
		return []string{syncStep}
	case pushes:
		return append(nameSteps(in.Name), syncStep)
	case in.TokenCache != "" && in.Verdict == cachix.DataPlane:
		steps = append(steps, "or use the token's own cache: garnix2gha init --cache "+in.TokenCache)
	case in.Token && in.Verdict == "":
		steps = append(steps, "try again; if nothing changes, the token is of no use here")
	}
	if in.State == cachix.Readable {
		return append(steps, afterCreation(client, in.Name, named)...)
	}
	steps = append(steps, "if the cache is there and private: make a new token for it and look again")
	return append(steps, waysToACache(client, in.Name)...)
}

// nixConfigLines are the lines for flake.nix that let users of the flake take from the cache; none while the cache has
// no address or no key.
func nixConfigLines(cache cachix.BinaryCache) []string {
	keys := trusted(cache)
	if cache.URI == "" || len(keys) == 0 {
		return []string{}
	}
	lines := []string{
		"nixConfig = {",
		"  extra-substituters = [ " + nixString(cache.URI) + " ];",
		"  extra-trusted-public-keys = [",
	}
	for _, key := range keys {
		lines = append(lines, "    "+nixString(key))
	}
	return append(lines, "  ];", "};")
}

// nixString quotes text as a Nix string.
func nixString(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `${`, `\${`).Replace(text) + `"`
}

// What the workflows tell that are not ours: the Cachix cache that the repository has already.

package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/document"
	"garnix2gha/generator/settings"
)

// Cache is a Cachix cache that a workflow of the repository names.
type Cache struct {
	Name   string `json:"name"`
	File   string `json:"file"`
	Pushes bool   `json:"pushes"` // it does not only read the cache
}

// caches lists those that the steps of cachix-action write out, if the settings name none and would take the name. Where
// any is pushed to, those that are only read are somebody else's and left out.
func caches(in Input) []Cache {
	if in.Settings == nil {
		return nil
	}
	if cachix, ok := in.Settings.Cache.Backend.(settings.Cachix); !ok || cachix.Name != "" {
		return nil
	}
	const most = 20 // of names that are looked at
	seen := map[string]bool{}
	found := map[bool][]Cache{}
	for _, file := range slices.Sorted(maps.Keys(in.Foreign)) {
		for _, cache := range named(file, in.Foreign[file]) {
			key := fmt.Sprint(cache.Pushes, cache.Name)
			if !seen[key] && len(seen) < most && cache.Name != "" && len(settings.CheckCacheName(cache.Name)) == 0 {
				found[cache.Pushes] = append(found[cache.Pushes], cache)
			}
			seen[key] = true
		}
	}
	if pushed := found[true]; len(pushed) > 0 {
		return pushed
	}
	return found[false]
}

// named lists what the steps of one workflow name, in the order of the jobs' names.
func named(file string, content []byte) []Cache {
	root, _ := document.Read(file, content)
	if root == nil {
		return nil
	}
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct {
				Uses string
				With struct {
					Name       string
					AuthToken  string `yaml:"authToken"`
					SigningKey string `yaml:"signingKey"`
					SkipPush   string `yaml:"skipPush"`
				}
			}
		}
	}
	_ = root.Decode(&workflow) // what fits is read all the same
	var found []Cache
	for _, job := range slices.Sorted(maps.Keys(workflow.Jobs)) {
		for _, step := range workflow.Jobs[job].Steps {
			if with := step.With; strings.HasPrefix(strings.ToLower(step.Uses), "cachix/cachix-action@") {
				found = append(found, Cache{with.Name, file, with.AuthToken+with.SigningKey != "" && with.SkipPush != "true"})
			}
		}
	}
	return found
}

// proposal says in a sentence, lower case and without a full stop, what the workflows tell, and which name to give to
// "init --cache": NAME unless there is one that is pushed to. Without caches it is "".
func proposal(caches []Cache) (sentence, name string) {
	if len(caches) == 0 {
		return "", "NAME"
	}
	verbs := [2]string{"reads", "read"}
	if caches[0].Pushes {
		verbs = [2]string{"pushes to", "push to"}
	}
	if len(caches) == 1 {
		sentence = fmt.Sprintf("your workflow %s already %s the Cachix cache %s", diag.OneLine(caches[0].File, 80), verbs[0], caches[0].Name)
		if caches[0].Pushes {
			return sentence, caches[0].Name
		}
		return sentence, "NAME"
	}
	var all []string
	for _, cache := range caches {
		all = append(all, fmt.Sprintf("%s (%s)", cache.Name, diag.OneLine(cache.File, 80)))
	}
	return fmt.Sprintf("your workflows already %s the Cachix caches %s", verbs[1], diag.Enumerate(all, "and")), "NAME"
}

// CacheHint tells which cache the workflows name already, and how to name it in the settings; "" without one.
func CacheHint(in Input) string {
	sentence, name := proposal(caches(in))
	if sentence == "" {
		return ""
	}
	return fmt.Sprintf("%s: garnix2gha init --cache %s", sentence, name)
}

// The Cachix cache that the repository has already, as its other workflows tell.

package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/document"
	"garnix2gha/generator/plan"
	"garnix2gha/generator/settings"
)

// cache is a Cachix cache that a workflow names.
type cache struct {
	name, file string
	pushes     bool // the workflow does not only read it
}

// caches lists those that steps of cachix-action write out, if the settings name none and would take the name. Where any
// is pushed to, those that are only read are somebody else's and left out.
func caches(in plan.Input) []cache {
	if in.Settings == nil || in.Settings.Cache.Backend != settings.Cachix || in.Settings.Cache.Name != "" {
		return nil
	}
	const most, shown = 20, 5 // names that are looked at, and named
	seen := map[string]bool{}
	var pushed, read []cache
	for _, file := range slices.Sorted(maps.Keys(in.Foreign)) {
		for _, found := range named(file, in.Foreign[file]) {
			key := fmt.Sprint(found.name, found.pushes)
			again := seen[key] || len(seen) >= most
			seen[key] = true
			switch {
			case again || found.name == "" || len(settings.CheckCacheName("", found.name)) > 0:
			case found.pushes:
				pushed = append(pushed, found)
			default:
				read = append(read, found)
			}
		}
	}
	if len(pushed) == 0 {
		pushed = read
	}
	return pushed[:min(len(pushed), shown)]
}

// named lists what the steps of one workflow name, in order of appearance.
func named(file string, content []byte) (found []cache) {
	root, _ := document.Read(file, content)
	for n := range document.All(root) {
		_, uses := document.Find(n, "uses")
		if !strings.HasPrefix(strings.ToLower(uses.Value), "cachix/cachix-action@") {
			continue
		}
		_, with := document.Find(n, "with")
		input := func(name string) string {
			_, value := document.Find(with, name)
			return value.Value
		}
		pushes := input("authToken")+input("signingKey") != "" && !strings.EqualFold(input("skipPush"), "true")
		found = append(found, cache{input("name"), file, pushes})
	}
	return found
}

// proposal says what the workflows tell, lower case and without a full stop, "" if nothing, and which name to give to
// "init --cache": NAME unless exactly one is pushed to.
func proposal(caches []cache) (sentence, name string) {
	name = "NAME"
	var sentences []string
	for _, c := range caches {
		verb := "reads"
		if c.pushes {
			verb, name = "pushes to", c.name
		}
		sentences = append(sentences, fmt.Sprintf("your workflow %s already %s the Cachix cache %s", diag.OneLine(c.file, 80), verb, c.name))
	}
	if len(caches) > 1 {
		name = "NAME"
	}
	return strings.Join(sentences, "; "), name
}

// CacheHint tells which cache the workflows name already, and how to name it in the settings; "" without one.
func CacheHint(in plan.Input) string {
	sentence, name := proposal(caches(in))
	if sentence == "" {
		return ""
	}
	return fmt.Sprintf("%s: garnix2gha init --cache %s", sentence, name)
}

// What garnix listed of a flake.

package nix

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"garnix2gha/generator/config"
	"garnix2gha/generator/flake"
)

// Query is one thing garnix listed: the names of a family, for a system where the family has them, or whether a
// devShell or defaultPackage exists for a system.
type Query struct {
	Family flake.Family
	System flake.System // "" for the *Configurations
}

func (q Query) path() []string {
	if q.System == "" {
		return []string{string(q.Family)}
	}
	return []string{string(q.Family), string(q.System)}
}

// String returns the attribute path, as a lock's errors spell it.
func (q Query) String() string { return strings.Join(q.path(), ".") }

// Queries returns what garnix listed for a configuration, in its order: a family for any include of any section,
// whatever its branch and excludes; devShell and defaultPackage only where a section selects them, of any branch.
// Source: garnix's mightMatch and GetAttributes.hs.
func Queries(c *config.Config) []Query {
	var queries []Query
	for _, family := range flake.Families() {
		for _, system := range family.Systems() {
			q := Query{Family: family, System: system}
			if slices.ContainsFunc(c.Sections, q.listedBy) {
				queries = append(queries, q)
			}
		}
	}
	return queries
}

func (q Query) listedBy(section config.Section) bool {
	if q.Family.Shape() == flake.Direct {
		_, selected := section.Selects(flake.AttrPath{First: q.Family, Second: string(q.System)})
		return selected
	}
	return slices.ContainsFunc(section.Include, func(m config.Matcher) bool { return m.Lists(q.Family, q.System) })
}

// Answer is the answer to a query. Without a Failure and not Exists, the flake has no such output, which is fine.
type Answer struct {
	Query   Query
	Exists  bool
	Names   []string // in nix's order; none for devShell and defaultPackage
	Failure *Failure

	// From is the attribute path above the query that the search order found it under, for example
	// "legacyPackages.x86_64-linux"; "" is the top of the flake.
	From string
}

// List lists the flake: one answer for each query, in order, from one process, and another for each query that ends it.
// The error is for what says nothing about the flake.
func (f *Flake) List(ctx context.Context, queries []Query) ([]Answer, error) {
	// Besides what each query finds, whether it is found where the search order looks first.
	var paths [][]string
	for _, prefix := range append([][]string{nil}, prefixes()...) {
		for _, q := range queries {
			paths = append(paths, slices.Concat(prefix, q.path()))
		}
	}
	f.runner.report("listing the flake")
	replies, err := f.ask(ctx, question{op: "list", paths: paths, messages: len(queries)})
	if err != nil {
		return nil, err
	}
	answers := make([]Answer, len(queries))
	for i, r := range replies {
		answer := &answers[i%len(queries)]
		switch {
		case i < len(queries) && r.failure != nil && r.failure.Cause == Machine:
			return nil, r.failure
		case i < len(queries):
			*answer = Answer{Query: queries[i], Exists: r.State == "ok", Names: r.Names, Failure: r.failure}
		case r.State == "ok" && answer.From == "" && !f.direct.Load():
			answer.From = strings.Join(paths[i][:2], ".")
		}
	}
	return answers, nil
}

// config returns the flake's output garnix.config as JSON, nil if there is none.
func (f *Flake) config(ctx context.Context) (json.RawMessage, error) {
	replies, err := f.stream(ctx, question{op: "config", paths: [][]string{{"garnix", "config"}}})
	if err != nil {
		return nil, err
	}
	switch r := replies[0]; {
	case r.failure != nil:
		return nil, r.failure
	case r.Present:
		return r.Value, nil
	}
	return nil, nil
}

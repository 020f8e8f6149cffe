// What garnix listed of a flake, and what is built for an attribute path.

package nix

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"garnix2gha/generator/config"
	"garnix2gha/generator/flake"
)

// Query is one thing garnix listed: the names of a family (for a system), or whether a devShell or defaultPackage exists.
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
	// From is where the search order found it, for example "legacyPackages.x86_64-linux"; "" is the top of the flake.
	From string
}

// List answers the queries in order, with one process and another for each query that ends one. The error says nothing
// about the flake.
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

const (
	maxRequest = 90_000 // bytes, below what one argument of a process may hold
	mostHosts  = 8      // *Configurations that one process evaluates; each may take half a gigabyte
)

// Described is a target as nix evaluates it. Missing and Failure exclude each other and the rest.
type Described struct {
	Attr    flake.AttrPath
	Drv     string            // store path of the derivation that is built for Attr
	System  flake.System      // the derivation's own, whatever Attr says
	Outputs map[string]string // store path by output; "" where only building tells it (content-addressed)
	Missing bool              // the flake has no such output
	Failure *Failure          // it does not evaluate or is no derivation
}

// Describe evaluates what is built for each path, in order. The number of processes does not grow with the number of
// paths: one for each system and for eight *Configurations, and one more for each target that ends one.
func (f *Flake) Describe(ctx context.Context, paths []flake.AttrPath) ([]Described, error) {
	replies, err := f.each(ctx, question{op: "describe", messages: len(paths)}, paths)
	if err != nil {
		return nil, err
	}
	all := make([]Described, len(paths))
	for i, r := range replies {
		all[i] = Described{
			Attr: paths[i], Drv: r.Drv, System: r.System, Outputs: r.Outputs, Missing: r.State == "missing", Failure: r.failure,
		}
	}
	return all, nil
}

// each asks a question about all paths, in several processes, and returns the replies in their order.
func (f *Flake) each(ctx context.Context, q question, paths []flake.AttrPath) ([]reply, error) {
	f.runner.report("evaluating %d targets", len(paths))
	all := make([]reply, len(paths))
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(f.runner.jobs)
	for _, chunk := range chunks(paths) {
		// What needs a build of a system's own needs it for the whole system, as a rule.
		part := q
		part.whole = paths[chunk[0]].System() != ""
		for _, at := range chunk {
			part.paths = append(part.paths, paths[at].Parts())
		}
		group.Go(func() error {
			replies, err := f.ask(ctx, part)
			for i, r := range replies {
				all[chunk[i]] = r
			}
			f.runner.report("evaluated %d of %d targets", done.Add(int64(len(chunk))), len(paths))
			return err
		})
	}
	return all, group.Wait()
}

// chunks sorts paths, as positions, by system and cuts what is too much for one process.
func chunks(paths []flake.AttrPath) [][]int {
	order := make([]int, len(paths))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(paths[a].System(), paths[b].System()) })
	var all [][]int
	size := 0
	for i, at := range order {
		text, _ := json.Marshal(paths[at].Parts())
		size += len(text) + 1
		system, last := paths[at].System(), len(all)-1
		if i == 0 || system != paths[order[i-1]].System() || size > maxRequest || system == "" && len(all[last]) == mostHosts {
			all, last, size = append(all, nil), last+1, len(text)+1
		}
		all[last] = append(all[last], at)
	}
	return all
}

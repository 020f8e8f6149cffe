// What is built for an attribute path.

package nix

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"garnix2gha/generator/flake"
)

const (
	// maxRequest keeps a request below what one argument of a process may hold, in bytes.
	maxRequest = 90_000
	// mostHosts is how many *Configurations one process evaluates; each may take half a gigabyte.
	mostHosts = 8
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

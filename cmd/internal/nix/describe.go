package nix

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

const (
	// maxRequest keeps a request below what one argument of a process may hold, in bytes.
	maxRequest = 90_000
	// maxSplits bounds the processes that run only because others died.
	maxSplits = 150
	// maxThrows is how many throws are asked again for their message.
	maxThrows = 20
	// caught is what outputs.nix.txt says of a throw, whose message it cannot know.
	caught = "evaluation failed"
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
// paths: one for each system and one for the *Configurations, and a few more for each target that brings one down.
func (f *Flake) Describe(ctx context.Context, paths []flake.AttrPath) ([]Described, error) {
	all, err := f.describe(ctx, paths, 0)
	if err != nil {
		return nil, err
	}
	throws := 0
	group, ctx := errgroup.WithContext(ctx)
	for i := range all {
		d := &all[i]
		if d.Failure == nil || d.Failure.Message != caught || throws == maxThrows {
			continue
		}
		throws++
		group.Go(func() (err error) {
			d.Failure, err = f.message(ctx, "describe", request{"paths": [][]string{d.Attr.Parts()}}, caught)
			return err
		})
	}
	return all, group.Wait()
}

// described is an answer of the OP describe.
type described struct {
	State   state              `json:"state"`
	Why     string             `json:"why"`
	Drv     string             `json:"drv"`
	System  flake.System       `json:"system"`
	Outputs map[string]*string `json:"outputs"`
}

// describe is Describe of at most so many paths in one process, and without asking for the messages of throws.
func (f *Flake) describe(ctx context.Context, paths []flake.AttrPath, most int, args ...string) ([]Described, error) {
	replies, err := f.each(ctx, "describe", paths, most, args...)
	if err != nil {
		return nil, err
	}
	all := make([]Described, len(paths))
	for i, reply := range replies {
		all[i] = Described{Attr: paths[i], Failure: reply.failure}
		if reply.failure != nil {
			continue
		}
		var answer described
		if err := json.Unmarshal(reply.value, &answer); err != nil {
			return nil, fmt.Errorf("read description of %s: %w", paths[i], err)
		}
		all[i].take(answer)
	}
	return all, nil
}

func (d *Described) take(answer described) {
	switch answer.State {
	case stateMissing:
		d.Missing = true
	case stateOK:
		d.Drv, d.System, d.Outputs = answer.Drv, answer.System, map[string]string{}
		for name, path := range answer.Outputs {
			d.Outputs[name] = ""
			if path != nil {
				d.Outputs[name] = *path
			}
		}
	default:
		d.Failure = &Failure{Message: diag.OneLine(answer.Why, maxMessage)}
	}
}

// reply is what an OP answers for one path, or why it has no answer.
type reply struct {
	value   json.RawMessage
	failure *Failure
}

// each asks an OP that answers for many paths, of at most so many in one process (0: as many as fit), and in halves
// where a process dies, so that one bad path hides no other.
func (f *Flake) each(ctx context.Context, op string, paths []flake.AttrPath, most int, args ...string) ([]reply, error) {
	replies := make([]reply, len(paths))
	var splits, done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	var ask func(chunk []int)
	ask = func(chunk []int) {
		group.Go(func() error {
			parts := make([][]string, len(chunk))
			for i, at := range chunk {
				parts[i] = paths[at].Parts()
			}
			values, err := f.askAll(ctx, op, parts, args)
			failure := failureOf(err)
			switch {
			case err == nil:
				for i, at := range chunk {
					replies[at].value = values[i]
				}
			case failure == nil:
				return err
			case failure.Cause == NeedsBuild && paths[chunk[0]].System() != "", len(chunk) == 1:
				// What needs a build of a system's own needs it for the whole system, as a rule.
				for _, at := range chunk {
					replies[at].failure = failure
				}
			case splits.Add(1) > maxSplits:
				for _, at := range chunk {
					replies[at].failure = &Failure{Message: "evaluation failed, with others: " + failure.Message, Cause: failure.Cause}
				}
			default:
				ask(chunk[:len(chunk)/2])
				ask(chunk[len(chunk)/2:])
				return nil
			}
			f.runner.report("evaluated %d of %d targets", done.Add(int64(len(chunk))), len(paths))
			return nil
		})
	}
	f.runner.report("evaluating %d targets", len(paths))
	for _, chunk := range chunks(paths, most) {
		ask(chunk)
	}
	return replies, group.Wait()
}

// askAll asks an OP in one process and returns its answers in the order of the paths.
func (f *Flake) askAll(ctx context.Context, op string, paths [][]string, args []string) ([]json.RawMessage, error) {
	answers, err := f.ask(ctx, map[string]request{op: {"paths": paths}}, args...)
	if err != nil {
		return nil, err
	}
	var values []json.RawMessage
	if err := json.Unmarshal(answers[op], &values); err != nil {
		return nil, fmt.Errorf("read answers of %s: %w", op, err)
	}
	if len(values) != len(paths) {
		return nil, fmt.Errorf("read answers of %s: %d for %d paths", op, len(values), len(paths))
	}
	return values, nil
}

// chunks sorts paths, as positions, by system and cuts what is too long for one process.
func chunks(paths []flake.AttrPath, most int) [][]int {
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
		last := len(all) - 1
		if i == 0 || paths[at].System() != paths[order[i-1]].System() || size > maxRequest || most > 0 && len(all[last]) == most {
			all, last, size = append(all, nil), last+1, len(text)+1
		}
		all[last] = append(all[last], at)
	}
	return all
}

package nix

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

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
		systems := flake.Systems()
		if family.Shape() == flake.Named {
			systems = []flake.System{""}
		}
		for _, system := range systems {
			q := Query{Family: family, System: system}
			if slices.ContainsFunc(c.Sections, q.listedBy) {
				queries = append(queries, q)
			}
		}
	}
	return queries
}

func (q Query) listedBy(section config.Section) bool {
	if q.Family.Shape() != flake.Direct {
		return slices.ContainsFunc(section.Include, func(m config.Matcher) bool { return m.Lists(q.Family, q.System) })
	}
	matches := func(m config.Matcher) bool {
		return m.Match(flake.AttrPath{First: q.Family, Second: string(q.System)})
	}
	return slices.ContainsFunc(section.Include, matches) && !slices.ContainsFunc(section.Exclude, matches)
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

// ownConfig is the flake's output garnix.config. Without a failure and a value there is no such output.
type ownConfig struct {
	value   json.RawMessage
	failure *Failure
}

// List lists the flake: one answer for each query, in order, from one process if nothing is badly wrong, else from one
// process for each query. The error is for what says nothing about the flake.
func (f *Flake) List(ctx context.Context, queries []Query) ([]Answer, error) {
	answers, _, err := f.survey(ctx, queries, false)
	return answers, err
}

// survey answers queries and, if wanted, what garnix.config is. Where the process dies, the questions are asked apart.
func (f *Flake) survey(ctx context.Context, queries []Query, wantConfig bool) ([]Answer, ownConfig, error) {
	if len(queries) == 0 && !wantConfig {
		return nil, ownConfig{}, nil
	}
	search := f.searching()
	replies, err := f.ask(ctx, surveyRequests(queries, wantConfig, search))
	failure := failureOf(err)
	switch {
	case err == nil:
		return f.readSurvey(ctx, replies, queries, wantConfig)
	case failure == nil || failure.Cause == Machine:
		return nil, ownConfig{}, err
	case len(queries) == 0:
		return nil, ownConfig{failure: failure}, nil
	case len(queries) == 1 && !wantConfig:
		return []Answer{{Query: queries[0], Failure: failure}}, ownConfig{}, nil
	}
	answers := make([]Answer, len(queries))
	var found ownConfig
	group, ctx := errgroup.WithContext(ctx)
	part := func(from, to int, withConfig bool) {
		group.Go(func() error {
			some, c, err := f.survey(ctx, queries[from:to], withConfig)
			copy(answers[from:to], some)
			if withConfig {
				found = c
			}
			return err
		})
	}
	if wantConfig {
		part(0, 0, true)
		part(0, len(queries), false)
	} else {
		for i := range queries {
			part(i, i+1, false)
		}
	}
	err = group.Wait()
	return answers, found, err
}

// prefixes are where the search order looks first; see garnix's evaluator, which was an x86_64-linux one.
func prefixes() [][]string {
	return [][]string{{"packages", "x86_64-linux"}, {"legacyPackages", "x86_64-linux"}}
}

// surveyRequests asks, besides what each query finds, whether it is found where the search order looks first, and
// whether garnix.config throws, which the OP config does not tell from a missing one.
func surveyRequests(queries []Query, wantConfig, search bool) map[string]request {
	paths := [][]string{}
	for _, q := range queries {
		paths = append(paths, q.path())
	}
	if search {
		for _, prefix := range prefixes() {
			for _, q := range queries {
				paths = append(paths, slices.Concat(prefix, q.path()))
			}
		}
	}
	requests := map[string]request{}
	if wantConfig {
		requests["config"] = request{}
		paths = append(paths, []string{"garnix", "config"})
	}
	requests["list"] = request{"queries": paths}
	return requests
}

// listed is an answer of the OP list.
type listed struct {
	Query []string `json:"query"`
	State state    `json:"state"`
	Names []string `json:"names"`
}

// state is how outputs.nix.txt found an attribute path.
type state string

const (
	stateOK      state = "ok"
	stateMissing state = "missing"
	stateError   state = "error"
)

func (f *Flake) readSurvey(ctx context.Context, replies map[string]json.RawMessage, queries []Query, wantConfig bool) ([]Answer, ownConfig, error) {
	var list []listed
	if err := json.Unmarshal(replies["list"], &list); err != nil {
		return nil, ownConfig{}, fmt.Errorf("read list: %w", err)
	}
	states := map[string]listed{}
	for _, l := range list {
		states[pathKey(l.Query)] = l
	}
	answers := make([]Answer, len(queries))
	group, ctx := errgroup.WithContext(ctx)
	for i, q := range queries {
		at := states[pathKey(q.path())]
		answers[i] = Answer{Query: q, Exists: at.State == stateOK, Names: at.Names}
		for _, prefix := range prefixes() {
			above, ok := states[pathKey(slices.Concat(prefix, q.path()))]
			if ok && above.State != stateMissing && answers[i].From == "" {
				answers[i].From = strings.Join(prefix, ".")
			}
		}
		if at.State == stateOK || at.State == stateMissing {
			continue
		}
		group.Go(func() (err error) {
			answers[i].Failure, err = f.message(ctx, "list", request{"queries": [][]string{q.path()}}, "it is not an attribute set")
			return err
		})
	}
	var c ownConfig
	if wantConfig {
		var reply struct {
			Present bool            `json:"present"`
			Value   json.RawMessage `json:"value"`
		}
		if err := json.Unmarshal(replies["config"], &reply); err != nil {
			return nil, ownConfig{}, fmt.Errorf("read garnix.config: %w", err)
		}
		switch {
		case reply.Present:
			c.value = reply.Value
		case states[pathKey([]string{"garnix", "config"})].State == stateError:
			group.Go(func() (err error) {
				c.failure, err = f.message(ctx, "config", request{}, "evaluation failed")
				return err
			})
		}
	}
	err := group.Wait()
	return answers, c, err
}

// pathKey is an attribute path as the key of a map, whatever its parts hold.
func pathKey(path []string) string { return strings.Join(path, "\x00") }

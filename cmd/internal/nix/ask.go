package nix

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"

	"garnix2gha/templates"
)

// request is the request of one OP of ci/outputs.nix.txt.
type request map[string]any

// expression answers several OPs of outputs.nix.txt in one process: the request has a key for each.
func expression() (string, error) {
	targets, err := templates.FS.ReadFile("ci/outputs.nix.txt")
	if err != nil {
		return "", fmt.Errorf("read expression: %w", err)
	}
	return "let targets =\n" + string(targets) + `;
in { flake, request }: {
  answers = builtins.mapAttrs (op: r: (targets { inherit flake; request = builtins.toJSON r; }).${op}) (builtins.fromJSON request);
}`, nil
}

// ask asks in one process. A hard failure that the search order is to blame for is asked again without it.
func (f *Flake) ask(ctx context.Context, requests map[string]request, args ...string) (map[string]json.RawMessage, error) {
	search := f.searching()
	answers, err := f.evaluate(ctx, requests, search, args...)
	failure := failureOf(err)
	if failure == nil || failure.Cause == Machine || !search {
		return answers, err
	}
	broken, probing := f.searchBroken(ctx)
	if probing != nil {
		return nil, probing
	}
	if broken {
		return f.evaluate(ctx, requests, false, args...)
	}
	return nil, err
}

// evaluate runs one process. Its failures are the same on every machine.
func (f *Flake) evaluate(ctx context.Context, requests map[string]request, search bool, args ...string) (map[string]json.RawMessage, error) {
	complete := map[string]request{}
	for op, r := range requests {
		complete[op] = request{"search": search}
		maps.Copy(complete[op], r)
	}
	text, err := json.Marshal(complete)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	program, err := expression()
	if err != nil {
		return nil, err
	}
	out, err := f.run(ctx, program, string(text), args)
	if failure := failureOf(err); failure != nil {
		f.mend(failure)
	}
	if err != nil {
		return nil, err
	}
	var answers map[string]json.RawMessage
	if err := json.Unmarshal(out, &answers); err != nil {
		return nil, fmt.Errorf("read what nix printed: %w", err)
	}
	return answers, nil
}

// noDir is how Nix 2.8 refuses the locked reference of a dirty flake that is not at its repository's root.
var noDir = regexp.MustCompile(`has unsupported parameter 'dir'`)

// run evaluates the locked reference. Where this nix cannot, it evaluates the flake as it lies there, with everything
// else that is not pure forbidden.
func (f *Flake) run(ctx context.Context, program, request string, args []string) ([]byte, error) {
	arguments := func(ref string) []string {
		return append([]string{"eval", "--json", "--expr", program, "answers", "--argstr", "flake", ref, "--argstr", "request", request}, args...)
	}
	if !f.outdated.Load() {
		out, _, err := f.runner.run(ctx, f.dir, arguments(f.ref)...)
		if failure := failureOf(err); failure == nil || !noDir.MatchString(failure.Message) {
			return out, err
		}
		f.outdated.Store(true)
	}
	out, _, err := f.runner.run(ctx, f.dir, append(arguments(f.mutable), "--impure", "--option", "restrict-eval", "true")...)
	return out, err
}

// message asks again for what failed with a throw, alone and letting it through, and returns what nix says about it;
// otherwise is the message if nix finds nothing wrong this time.
func (f *Flake) message(ctx context.Context, op string, r request, otherwise string) (*Failure, error) {
	alone := request{"catch": false}
	maps.Copy(alone, r)
	_, err := f.evaluate(ctx, map[string]request{op: alone}, f.searching())
	switch failure := failureOf(err); {
	case failure != nil:
		// A throw is the flake's, whatever it says.
		return &Failure{Message: failure.Message}, nil
	case err != nil:
		return nil, err
	}
	return &Failure{Message: otherwise}, nil
}

func (f *Flake) searching() bool {
	f.search.Lock()
	defer f.search.Unlock()
	return !f.search.off
}

// searchBroken reports whether a packages.x86_64-linux that cannot be had at all spoils the search order for every
// path; from then on nothing is searched. It costs one process, once.
func (f *Flake) searchBroken(ctx context.Context) (bool, error) {
	f.search.Lock()
	defer f.search.Unlock()
	if !f.search.probed {
		heads := request{"queries": [][]string{{"packages", "x86_64-linux"}, {"legacyPackages", "x86_64-linux"}}}
		_, err := f.evaluate(ctx, map[string]request{"list": heads}, true)
		if err != nil && failureOf(err) == nil {
			return false, err
		}
		f.search.probed, f.search.off = true, err != nil
	}
	return f.search.off, nil
}

// The questions to a flake, which one Nix expression answers one after the other.

package nix

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/templates"
)

const (
	maxDeaths = 30 // how often a question is taken up again behind what ended nix
	maxThrows = 20 // how many throws are asked again for their message
)

// question is an OP of ci/outputs.nix.txt for many attribute paths.
type question struct {
	op       string
	paths    [][]string
	messages int      // so many of the paths, the first ones, are asked again for the message of their throw
	whole    bool     // what needs a build speaks for all that follow
	catch    bool     // see outputs.nix.txt
	args     []string // of nix
}

// reply is an answer of any OP, or why there is none.
type reply struct {
	State   string            `json:"state"` // ok, missing or error
	Why     string            `json:"why"`
	Names   []string          `json:"names"`
	Drv     string            `json:"drv"`
	System  flake.System      `json:"system"`
	Outputs map[string]string `json:"outputs"`
	Present bool              `json:"present"`
	Value   json.RawMessage   `json:"value"`

	failure *Failure
}

// caught is what outputs.nix.txt says of a throw, whose message it cannot know.
const caught = "evaluation failed"

// ask returns a reply for each path, in order. One process answers, and another for each path that ends it.
func (f *Flake) ask(ctx context.Context, q question) ([]reply, error) {
	q.catch = true
	replies, err := f.stream(ctx, q)
	if err != nil {
		return nil, err
	}
	alone := q
	alone.catch, alone.paths = false, nil
	var thrown []*reply
	for i := range replies {
		r := &replies[i]
		if r.State != "error" {
			continue
		}
		if r.failure = (&Failure{Message: diag.OneLine(r.Why, maxMessage)}); r.Why == "" || r.Why == caught {
			r.failure.Message = caught
			if i < q.messages && len(thrown) < maxThrows {
				thrown, alone.paths = append(thrown, r), append(alone.paths, q.paths[i])
			}
		}
	}
	told, err := f.stream(ctx, alone)
	for i, r := range told {
		if r.failure != nil {
			thrown[i].failure.Message = r.failure.Message // a throw is the flake's fault, whatever it says
		}
	}
	return replies, err
}

// stream asks until there is a reply for each path: behind the one that ended nix it goes on.
func (f *Flake) stream(ctx context.Context, q question) ([]reply, error) {
	var replies []reply
	for deaths := 0; len(replies) < len(q.paths); {
		search := !f.direct.Load()
		rest := q
		rest.paths = q.paths[len(replies):]
		told, readable, failure, err := f.evaluate(ctx, rest, search)
		if err != nil {
			return nil, err
		}
		if len(told) > len(rest.paths) || failure == nil && len(told) < len(rest.paths) {
			return nil, fmt.Errorf("read answers of %s: %d for %d paths", q.op, len(told), len(rest.paths))
		}
		replies = append(replies, told...)
		if len(replies) == len(q.paths) {
			break
		}
		if search && readable {
			if ok, err := f.canSearch(ctx); err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		replies = append(replies, reply{failure: failure})
		if deaths++; deaths == maxDeaths {
			failure = &Failure{Message: "evaluation failed, with others: " + failure.Message, Cause: failure.Cause}
		} else if readable && !(q.whole && failure.Cause == NeedsBuild) {
			continue
		}
		replies = append(replies, slices.Repeat([]reply{{failure: failure}}, len(q.paths)-len(replies))...)
	}
	return replies, nil
}

// evaluate asks one process: its replies, whether it could read the flake, and why it ended early.
func (f *Flake) evaluate(ctx context.Context, q question, search bool) (told []reply, readable bool, failure *Failure, err error) {
	tag := rand.Text()
	paths := "paths"
	if q.op == "list" {
		paths = "queries"
	}
	// Neither fails: names can be encoded, and the expression is a part of this program.
	text, _ := json.Marshal(map[string]any{"op": q.op, "tag": tag, "search": search, "catch": q.catch, paths: q.paths})
	outputs, _ := templates.FS.ReadFile("ci/outputs.nix.txt")
	answers, err := f.run(ctx, tag, "let targets =\n"+string(outputs)+";\nin "+answering, string(text), q.args)
	if failure, _ = errors.AsType[*Failure](err); failure != nil {
		f.tidy(failure)
	} else if err != nil {
		return nil, false, nil, err
	}
	for i, answer := range answers {
		var r reply
		if err := json.Unmarshal(answer, &r); err != nil {
			return nil, false, nil, fmt.Errorf("read answer of %s: %w", q.op, err)
		}
		if i > 0 { // the first one says that the flake can be read
			told = append(told, r)
		}
	}
	return told, len(answers) > 0, failure, nil
}

// answering tells what garnix.config is as `each` tells the other answers.
const answering = `{ flake, request }:
let
  of = targets { inherit flake request; };
  req = builtins.fromJSON request;
  tell = text: builtins.trace "${req.tag} ${text}";
in
{ answers = if req.op == "config" then tell "null" (tell (builtins.toJSON of.config) null) else of.each; }`

// noDir is how Nix 2.8 refuses the locked reference of a dirty flake that is not at its repository's root.
var noDir = regexp.MustCompile(`has unsupported parameter 'dir'`)

// run evaluates the locked reference, and returns what it tells also if it fails. Where this nix cannot read the
// reference, it evaluates the flake as it lies there, with everything else that is not pure forbidden.
func (f *Flake) run(ctx context.Context, tag, program, request string, args []string) ([][]byte, error) {
	eval := func(ref string, more ...string) ([][]byte, error) {
		call := append([]string{"eval", "--expr", program, "answers", "--argstr", "flake", ref, "--argstr", "request", request}, args...)
		said, _, err := f.runner.run(ctx, f.dir, tag, append(call, more...)...)
		return said.answers, err
	}
	if !f.outdated.Load() {
		answers, err := eval(f.ref)
		if failure, ok := errors.AsType[*Failure](err); !ok || !noDir.MatchString(failure.Message) {
			return answers, err
		}
		f.outdated.Store(true)
	}
	return eval(f.mutable, "--impure", "--option", "restrict-eval", "true")
}

// canSearch finds out, once, whether a packages.x86_64-linux that ends nix itself spoils the search for every path.
func (f *Flake) canSearch(ctx context.Context) (ok bool, err error) {
	f.probe.Do(func() {
		var failure *Failure
		_, _, failure, err = f.evaluate(ctx, question{op: "list", paths: prefixes(), catch: true}, false)
		f.direct.Store(failure != nil)
	})
	return !f.direct.Load(), err
}

// prefixes are where the search order looks first; see garnix's evaluator, which was an x86_64-linux one.
func prefixes() [][]string {
	return [][]string{{"packages", "x86_64-linux"}, {"legacyPackages", "x86_64-linux"}}
}

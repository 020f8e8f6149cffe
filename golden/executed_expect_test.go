package golden_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/config"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/plan"
	"garnix2gha/generator/target"
)

func (s *executedScenario) cmdJobs(_ bool, args []string) error {
	return same("jobs", args, s.last.jobs)
}

// same reports how two lists differ; their order does not count, how often something occurs does.
func same(what string, want, got []string) error {
	want, got = slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))
	if slices.Equal(want, got) {
		return nil
	}
	return fmt.Errorf("%s:\nwant %q\n got %q", what, want, got)
}

// executedPlan is what scenarios look at in plan.json.
type executedPlan struct {
	Targets []struct{ Attr, State string }
	Push    bool
}

func (s *executedScenario) plan() (executedPlan, error) {
	var p executedPlan
	data, err := os.ReadFile(filepath.Join(s.env["STANDIN_ARTIFACTS"], "garnix2gha-plan/plan.json"))
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(data, &p)
}

func (s *executedScenario) cmdTargets(_ bool, args []string) error {
	p, err := s.plan()
	if err != nil {
		return err
	}
	var got []string
	for _, t := range p.Targets {
		got = append(got, t.Attr+"="+t.State)
	}
	return same("targets", args, got)
}

func (s *executedScenario) cmdModelled(bool, []string) error {
	p, err := s.plan()
	if err != nil {
		return err
	}
	outputs, err := os.ReadFile(filepath.Join(s.repo, "outputs.json"))
	if err != nil {
		return err
	}
	lock, diags := flake.DecodeLock("outputs.json", outputs)
	if diags.HasErrors() {
		return fmt.Errorf("%s", diags[0])
	}
	yaml, err := os.ReadFile(filepath.Join(s.repo, "garnix.yaml"))
	if err != nil {
		return err
	}
	decoded, diags := config.Resolve("garnix.yaml", yaml, nil)
	if diags.HasErrors() {
		return fmt.Errorf("%s", diags[0])
	}
	commit := target.Commit{Fork: s.branch == nil}
	if s.branch != nil {
		commit.Branch = *s.branch
	}
	selection, _ := target.Select(decoded, lock, commit)
	var want, got []string
	for _, t := range selection.Targets {
		want = append(want, t.Attr.String())
	}
	for _, t := range p.Targets {
		got = append(got, t.Attr)
	}
	if len(want) == 0 {
		return fmt.Errorf("the model selects nothing")
	}
	return same("targets", want, got)
}

func (s *executedScenario) cmdBuilt(_ bool, args []string) error {
	log, err := os.ReadFile(s.builtLog())
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	return same("built", args, strings.Fields(string(log[s.built:])))
}

func (s *executedScenario) cmdPushed(_ bool, args []string) error {
	var got []string
	for file, storePath := range s.cache.paths() {
		if !s.pushed[file] {
			got = append(got, storeName(storePath))
		}
	}
	return same("pushed", args, got)
}

func (s *executedScenario) cmdCached(negated bool, args []string) error {
	names := s.cache.names()
	for _, name := range args {
		if slices.Contains(names, name) == negated {
			return fmt.Errorf("the cache has %q", names)
		}
	}
	return nil
}

func annotated(level string) func(*executedScenario, bool, []string) error {
	return func(s *executedScenario, negated bool, args []string) error {
		pattern, err := regexp.Compile("(?s)" + strings.Join(args, " "))
		if err != nil {
			return err
		}
		found := slices.ContainsFunc(s.last.annotations, func(a actAnnotation) bool {
			return a.level == level && pattern.MatchString(a.title+": "+a.message)
		})
		if found == negated {
			return fmt.Errorf("annotations: %q", s.last.annotations)
		}
		return nil
	}
}

func printed(part func(*actRun) string) func(*executedScenario, bool, []string) error {
	return func(s *executedScenario, negated bool, args []string) error {
		pattern, err := regexp.Compile("(?m)" + strings.Join(args, " "))
		if err != nil {
			return err
		}
		if pattern.MatchString(part(s.last)) == negated {
			return fmt.Errorf("%s: found: %t", pattern, negated)
		}
		return nil
	}
}

func (s *executedScenario) cmdStatuses(_ bool, args []string) error {
	return same("statuses", args, s.statuses)
}

func (s *executedScenario) cmdAsked(_ bool, args []string) error {
	return same("asked", args, []string{strconv.Itoa(s.asked)})
}

// cmdNix bounds the processes of nix, whatever the number of targets.
func (s *executedScenario) cmdNix(_ bool, args []string) error {
	limit, err := strconv.Atoi(strings.Join(args, ""))
	if err != nil {
		return err
	}
	calls, err := os.ReadFile(filepath.Join(s.scratch, "nix.calls"))
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if n := strings.Count(string(calls), "\n"); n > limit {
		return fmt.Errorf("nix was called %d times: %q", n, strings.Fields(string(calls)))
	}
	return nil
}

func (s *executedScenario) cmdToken(_ bool, args []string) error {
	return same("steps with a secret", args, s.holders())
}

// holders names the steps of the last run that had a secret in their environment.
func (s *executedScenario) holders() []string {
	var names []string
	for _, step := range s.last.steps {
		for _, secret := range s.secrets {
			if secret != "" && strings.Contains(step.env, secret) {
				names = append(names, s.nameOf(step))
				break
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// nameOf finds the step of the committed workflows, or the stand-in for an action, that a script belongs to.
func (s *executedScenario) nameOf(ran actStep) string {
	files, _ := filepath.Glob(filepath.Join(s.repo, ".github/workflows/*.yml"))
	environment := strings.Split(ran.env, "\x00")
	for _, file := range files {
		var workflow struct {
			Jobs map[string]struct {
				Steps []struct {
					Name, Run string
					Env       map[string]string
				}
			}
		}
		data, err := os.ReadFile(file)
		if err != nil || yaml.Unmarshal(data, &workflow) != nil {
			continue
		}
		for _, job := range workflow.Jobs {
			for _, step := range job.Steps {
				matches := step.Run != "" && strings.Contains(ran.script, strings.TrimSpace(step.Run))
				for name, value := range step.Env {
					// The same script may stand in several steps, told apart by what they are given.
					if !strings.Contains(value, "${{") {
						matches = matches && slices.Contains(environment, name+"="+value)
					}
				}
				if matches {
					return step.Name
				}
			}
		}
	}
	for _, uses := range slices.Sorted(maps.Keys(plan.Pins())) {
		name := filepath.Base(uses)
		data, err := os.ReadFile(filepath.Join(s.env["STANDIN_ACTIONS"], name, "action.yml"))
		var action struct {
			Runs struct{ Steps []struct{ Run string } }
		}
		if err != nil || yaml.Unmarshal(data, &action) != nil {
			continue
		}
		for _, step := range action.Runs.Steps {
			if strings.Contains(ran.script, strings.TrimSpace(step.Run)) {
				return name
			}
		}
	}
	return ran.script
}

package golden_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"garnix2gha/generator/plan"
)

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
	for _, pin := range plan.Pins() {
		name := filepath.Base(pin.Action)
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

func (s *executedScenario) cmdClient(_ bool, args []string) error {
	return s.client(strings.TrimPrefix(strings.Join(args, ""), "-"))
}

func (s *executedScenario) cmdServer(_ bool, args []string) error {
	numbers, err := integers(args, 2)
	if err != nil {
		return err
	}
	s.cache.fail(numbers[0], numbers[1])
	return nil
}

func (s *executedScenario) cmdDown(_ bool, args []string) error {
	numbers, err := integers(args, 1)
	if err != nil {
		return err
	}
	s.cache.unavailable(numbers[0])
	return nil
}

// integers reads at most n numbers; what is not given is 0.
func integers(args []string, n int) ([]int, error) {
	if len(args) > n {
		return nil, fmt.Errorf("at most %d numbers", n)
	}
	numbers := make([]int, n)
	for i, arg := range args {
		number, err := strconv.Atoi(arg)
		if err != nil {
			return nil, err
		}
		numbers[i] = number
	}
	return numbers, nil
}

// cmdImpatient replaces timeout by one that waits a second.
func (s *executedScenario) cmdImpatient(bool, []string) error {
	timeout, err := exec.LookPath("timeout")
	if err != nil {
		return err
	}
	text := fmt.Sprintf("#!/bin/sh\nwhile case $1 in -*) true ;; *) false ;; esac; do shift; done\nshift\nexec %s 1 \"$@\"\n", timeout)
	return os.WriteFile(filepath.Join(s.scratch, "tools/timeout"), []byte(text), 0o755)
}

func (s *executedScenario) cmdEvict(_ bool, args []string) error {
	for _, name := range args {
		if s.cache.evict(name) == 0 {
			return fmt.Errorf("the cache does not have %s", name)
		}
	}
	return nil
}

func (s *executedScenario) cmdSecret(_ bool, args []string) error {
	delete(s.secrets, args[0])
	if len(args) > 1 {
		s.secrets[args[0]] = args[1]
	}
	return nil
}

func (s *executedScenario) cmdEnv(_ bool, args []string) error {
	s.env[args[0]] = strings.Join(args[1:], " ")
	return nil
}

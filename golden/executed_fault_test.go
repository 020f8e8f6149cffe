package golden_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

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

func (s *executedScenario) cmdEvict(_ bool, args []string) error {
	for _, name := range args {
		if s.cache.evict(name) == 0 {
			return fmt.Errorf("the cache does not have %s", name)
		}
	}
	return nil
}

// cmdLose makes the next run's machine one that did not build a path.
func (s *executedScenario) cmdLose(_ bool, args []string) error {
	for _, name := range args {
		for _, storePath := range s.cache.known(name) {
			command := exec.Command("nix-store", "--delete", storePath)
			if _, err := os.Stat(storePath); err != nil {
				continue
			}
			if out, err := command.CombinedOutput(); err != nil {
				return fmt.Errorf("delete %s: %w: %s", storePath, err, out)
			}
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

func (s *executedScenario) cmdVariable(_ bool, args []string) error {
	delete(s.variables, args[0])
	if len(args) > 1 {
		s.variables[args[0]] = args[1]
	}
	return nil
}

func (s *executedScenario) cmdEnv(_ bool, args []string) error {
	s.env[args[0]] = strings.Join(args[1:], " ")
	return nil
}

package golden_test

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestExecuted runs generated workflows with real Nix against a cache on loopback. Each file of executed/ is a
// repository and, above it, a script. Besides testscript's own commands there are
//
//	generate                      render the workflows, and commit
//	commit                        commit what was changed
//	act FILE EVENT BRANCH [K=V]   run the workflow build, cache or actions for push, fork, deleted (a fork that is gone),
//	                              pull (request of the same repository), bot (one that GITHUB_TOKEN opened), queue,
//	                              dispatch or schedule; it must end green, with ! red. A fork gets no variables.
//	                              K: actor, fork-repo, wait-minutes, head (a commit, for pull requests); attempt=2 and
//	                              higher run all jobs again, over the artifacts of the attempt before; matrix=none
//	                              takes the build job's matrix away, which act evaluates even if the job that makes it
//	                              was skipped
//	jobs NAME=RESULT...           these jobs ran, and no others
//	targets ATTR=STATE...         these targets the plan had, and no others
//	modelled                      the plan's targets are those that the target model selects from outputs.json
//	built NAME...                 these builders ran in the last run, and no others
//	pushed NAME...                these store paths arrived in the cache in the last run, and no others
//	cached NAME...                the cache has these store paths
//	error|warning|notice REGEXP   there is such an annotation ("title: message"); with ! none matches
//	summary|markup|log REGEXP     what a person reads in the summaries, their source, or all that was printed, matches
//	token STEP...                 these steps had a secret in their environment, and no others
//	statuses NAME=STATE...        these commit statuses were posted in the last run, and no others
//	asked COUNT                   the cache was asked for exactly so many narinfo in the last run
//	nix COUNT                     all jobs together called nix at most so often in the last run
//	client FAULT                  the cache's client fails from now on: 401, 403, 500, halfway, or works: -
//	server STATUS [PUTS]          the cache answers so to every PUT after the next PUTS, 0 heals it
//	down STATUS                   the cache answers so to everything, 0 heals it
//	evict NAME                    the cache loses a path
//	lose NAME                     this machine's store loses a path that the cache has or had
//	secret NAME [VALUE]           set or unset a secret
//	variable NAME [VALUE]         set or unset a repository variable
//	env-of-steps NAME VALUE       set a variable of every step
//
// After every run no secret may have been printed, kept in an artifact or readable by a builder of a run that does not
// push, the runner must have obeyed no command that our scripts do not print, and nothing may have made the canary.
func TestExecuted(t *testing.T) {
	t.Parallel()
	tool := actTool(t)
	slots := make(chan struct{}, 2)
	commands := map[string]func(*testscript.TestScript, bool, []string){}
	for name, command := range map[string]func(*executedScenario, bool, []string) error{
		"generate": (*executedScenario).cmdGenerate, "commit": (*executedScenario).cmdCommit, "act": (*executedScenario).cmdAct,
		"jobs": (*executedScenario).cmdJobs, "targets": (*executedScenario).cmdTargets, "modelled": (*executedScenario).cmdModelled,
		"built": (*executedScenario).cmdBuilt, "pushed": (*executedScenario).cmdPushed, "cached": (*executedScenario).cmdCached,
		"error": annotated("error"), "warning": annotated("warning"), "notice": annotated("notice"),
		"summary":  printed(func(r *actRun) string { return html.UnescapeString(r.summary) }),
		"markup":   printed(func(r *actRun) string { return r.summary }),
		"log":      printed(func(r *actRun) string { return r.log }),
		"statuses": (*executedScenario).cmdStatuses, "asked": (*executedScenario).cmdAsked,
		"token": (*executedScenario).cmdToken, "nix": (*executedScenario).cmdNix, "client": (*executedScenario).cmdClient,
		"server": (*executedScenario).cmdServer, "down": (*executedScenario).cmdDown, "evict": (*executedScenario).cmdEvict, "lose": (*executedScenario).cmdLose,
		"secret": (*executedScenario).cmdSecret, "variable": (*executedScenario).cmdVariable, "env-of-steps": (*executedScenario).cmdEnv,
	} {
		commands[name] = func(ts *testscript.TestScript, negated bool, args []string) {
			s := ts.Value(executedKey{}).(*executedScenario)
			if err := command(s, negated, args); err != nil {
				if s.last != nil {
					ts.Logf("last run: jobs %q\nannotations %q\nsummary:\n%s\nlog:\n%s", s.last.jobs, s.last.annotations, s.last.summary, s.last.log)
				}
				ts.Fatalf("%v", err)
			}
		}
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "executed",
		RequireExplicitExec: true,
		Cmds:                commands,
		Setup: func(env *testscript.Env) error {
			s, err := newExecutedScenario(env.T().(testing.TB), env.WorkDir, tool, slots)
			if err != nil {
				return err
			}
			env.Values[executedKey{}] = s
			env.Setenv("CANARY", s.canary())
			return nil
		},
	})
}

type executedKey struct{}

func (s *executedScenario) cmdGenerate(bool, []string) error {
	if err := s.generate(); err != nil {
		return err
	}
	return s.commit()
}

func (s *executedScenario) cmdCommit(bool, []string) error { return s.commit() }

func (s *executedScenario) cmdAct(red bool, args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("usage: act FILE EVENT BRANCH [KEY=VALUE...]")
	}
	options := map[string]string{"wait-minutes": "0"}
	for _, option := range args[3:] {
		key, value, _ := strings.Cut(option, "=")
		options[key] = value
	}
	event, err := s.newEvent(args[1], args[2], options)
	if err != nil {
		return err
	}
	workflow := map[string]string{"build": "nix-build-cache.yml", "cache": "cache-only.yml", "actions": "garnix-actions.yml"}[args[0]]
	workflow = filepath.Join(s.repo, ".github/workflows", workflow)
	if _, err := os.Stat(workflow); err != nil {
		return err
	}
	if options["matrix"] == "none" {
		if workflow, err = s.withoutMatrix(workflow); err != nil {
			return err
		}
	}
	var env []string
	for name, value := range s.env {
		env = append(env, name+"="+value)
	}
	s.event = event
	for range 2 {
		if err := s.forget(options["attempt"] != ""); err != nil {
			return err
		}
		s.slots <- struct{}{}
		s.last, err = actCommand{
			tool: s.tool, dir: s.repo, workflow: workflow, event: event, env: env, secrets: s.secrets, vars: s.variablesFor(args[1]),
			labels:  []string{"ubuntu-24.04", "ubuntu-24.04-arm", "macos-26"},
			actions: s.env["STANDIN_ACTIONS"], steps: s.env["STANDIN_STEPS"], scratch: s.scratch,
		}.run()
		<-s.slots
		if err != nil {
			return err
		}
		// On a busy machine act may lose all that a step printed. Looking at the cache once more changes nothing.
		if args[0] != "cache" || s.last.green || len(s.last.annotations) > 0 {
			break
		}
	}
	s.asked, s.statuses = s.cache.taken()
	if err := s.sound(); err != nil {
		return err
	}
	if s.last.green == red {
		return fmt.Errorf("the run is green: %t", s.last.green)
	}
	return nil
}

// variablesFor are the repository's variables as GitHub gives them: none to a pull request of a fork.
func (s *executedScenario) variablesFor(event string) map[string]string {
	if event == "fork" || event == "deleted" {
		return nil
	}
	return s.variables
}

// forget drops what the run before left behind, but for its artifacts if this is another attempt at it.
func (s *executedScenario) forget(again bool) error {
	s.pushed = map[string]bool{}
	for file := range s.cache.paths() {
		s.pushed[file] = true
	}
	s.cache.taken()
	for _, name := range []string{"peeked", "nix.calls"} {
		if err := os.RemoveAll(filepath.Join(s.scratch, name)); err != nil {
			return err
		}
	}
	// Every run has machines that remember nothing, such as which paths a cache had.
	dirs := []string{filepath.Join(s.env["HOME"], ".cache/nix"), filepath.Join(s.env["HOME"], ".config")}
	if !again {
		dirs = append(dirs, s.env["STANDIN_ARTIFACTS"])
	}
	for _, dir := range dirs {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	log, err := os.ReadFile(s.builtLog())
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	s.built = len(log)
	return nil
}

// sound checks what must hold after every run.
func (s *executedScenario) sound() error {
	if _, err := os.Stat(s.canary()); err == nil {
		return fmt.Errorf("something that a repository controls was run")
	}
	if len(s.last.commands) > 0 {
		return fmt.Errorf("the runner obeyed %q", s.last.commands)
	}
	for name, secret := range s.secrets {
		if secret == "" {
			continue
		}
		if strings.Contains(s.last.log+s.last.summary, secret) {
			return fmt.Errorf("%s was printed", name)
		}
		err := filepath.WalkDir(s.env["STANDIN_ARTIFACTS"], func(file string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return nil // there may be no artifacts
			}
			if content, err := os.ReadFile(file); err != nil || strings.Contains(string(content), secret) {
				return fmt.Errorf("%s is in the artifact %s (%w)", name, file, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
		peeked, err := os.ReadFile(filepath.Join(s.scratch, "peeked"))
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		if len(s.holders()) == 0 && strings.Contains(string(peeked), secret) {
			return fmt.Errorf("%s was readable by a builder", name)
		}
	}
	return nil
}

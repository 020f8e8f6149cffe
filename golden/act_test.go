package golden_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"garnix2gha/generator/plan"
)

// actTool finds act; without it there is nothing to run workflows with.
func actTool(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"act", "nix", "git", "python3"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not installed", tool)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can build here without a daemon, whose settings would count")
	}
	path, err := exec.LookPath("act")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// actRun is what one run of a workflow left behind.
type actRun struct {
	green       bool
	jobs        []string        // "name=conclusion", sorted; a job that did not run is not there
	annotations []actAnnotation // of each job in the order they came
	commands    []string        // other commands that the runner obeyed
	summary     string          // of every step, in the order they ended
	log         string          // everything that was printed, as it came
	steps       []actStep       // every script that ran, in no order
}

// actStep is a script that a step ran, and the environment it was given.
type actStep struct {
	script, env string
}

// actEvent is what GitHub says when it starts a run.
type actEvent struct {
	name    string            // push, pull_request, …
	payload map[string]any    // github.event
	env     map[string]string // parts of the github context that act does not take from the payload
	actor   string
}

// actCommand is one run of act.
type actCommand struct {
	tool     string
	dir      string // the repository
	workflow string // path of the file
	event    actEvent
	env      []string // of act and of every step
	secrets  map[string]string
	vars     map[string]string
	labels   []string          // runner labels, all of which are this machine
	actions  string            // folder of the stand-ins
	local    map[string]string // more of them: "owner/name@ref" to its folder
	steps    string            // folder where the shell's wrapper leaves a record of every script
	scratch  string
}

// run executes the workflow. The error is a failure of act itself; a red run is not one.
func (c actCommand) run() (*actRun, error) {
	payload, err := json.Marshal(c.event.payload)
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	eventFile := filepath.Join(c.scratch, "event.json")
	if err := os.WriteFile(eventFile, payload, 0o600); err != nil {
		return nil, fmt.Errorf("write event: %w", err)
	}
	// Not by arguments or environment, where every step could see them.
	var secrets strings.Builder
	for name, value := range c.secrets {
		fmt.Fprintf(&secrets, "%s=%s\n", name, value)
	}
	secretFile := filepath.Join(c.scratch, "secrets")
	if err := os.WriteFile(secretFile, []byte(secrets.String()), 0o600); err != nil {
		return nil, fmt.Errorf("write secrets: %w", err)
	}
	args := []string{c.event.name, "-W", c.workflow, "--eventpath", eventFile, "--actor", c.event.actor,
		"--json", "--insecure-secrets", "--action-offline-mode", "--no-cache-server", "--no-skip-checkout", "--no-recurse",
		"--concurrent-jobs", "2", "--secret-file", secretFile, "--env-file", os.DevNull, "--var-file", os.DevNull, "--input-file", os.DevNull}
	for _, label := range c.labels {
		args = append(args, "-P", label+"=-self-hosted")
	}
	for action, pin := range plan.Pins() {
		dir := filepath.Join(c.actions, filepath.Base(action))
		if _, err := os.Stat(dir); err == nil {
			args = append(args, "--local-repository", action+"@"+pin.SHA+"="+dir)
		}
	}
	for uses, dir := range c.local {
		args = append(args, "--local-repository", uses+"="+dir)
	}
	for flag, values := range map[string]map[string]string{"--env": c.event.env, "--var": c.vars} {
		for name, value := range values {
			args = append(args, flag, name+"="+value)
		}
	}
	const limit = 5 * time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var out, stderr bytes.Buffer
	command := exec.CommandContext(ctx, c.tool, args...)
	command.Dir, command.Env, command.Stdout, command.Stderr = c.dir, c.env, &out, &stderr
	command.WaitDelay = time.Second
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	err = command.Run()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || ctx.Err() != nil) {
		return nil, fmt.Errorf("run act: %w\n%s%s", err, stderr.String(), out.String())
	}
	run, parseErr := actParse(out.Bytes())
	if parseErr != nil {
		return nil, parseErr
	}
	if len(run.jobs) == 0 && exit != nil {
		return nil, fmt.Errorf("act ran nothing: %w: %s%s", err, stderr.String(), out.String())
	}
	run.green = exit == nil
	run.log += stderr.String()
	run.steps, err = actSteps(c.steps)
	return run, err
}

// actLine is a line of act's JSON log.
type actLine struct {
	Job        string         `json:"job"`
	JobID      string         `json:"jobID"`
	JobResult  string         `json:"jobResult"`
	StepResult string         `json:"stepResult"`
	Matrix     map[string]any `json:"matrix"`
	Message    string         `json:"msg"`
	Command    string         `json:"command"`
	Raw        string         `json:"raw"`        // a line that act takes for a command
	RawOutput  bool           `json:"raw_output"` // Message is a line of output
	Content    string         `json:"content"`
}

var matrixNumber = regexp.MustCompile(`-\d+$`)

func actParse(log []byte) (*actRun, error) {
	run := &actRun{}
	var text, summary strings.Builder
	type ending struct{ id, name, result string }
	var endings []ending
	entries := map[string]int{} // jobs by id
	printed := map[string]*actCommands{}
	failed := map[string]bool{} // jobs with a failed step
	scanner := bufio.NewScanner(bytes.NewReader(log))
	const longest = 8 << 20
	scanner.Buffer(nil, longest)
	for scanner.Scan() {
		var line actLine
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("read act's log: %w: %s", err, scanner.Text())
		}
		if !strings.HasPrefix(line.Message, "LocalRepositoryCache ") {
			text.WriteString(strings.TrimSuffix(line.Message, "\n") + "\n")
		}
		if printed[line.Job] == nil {
			printed[line.Job] = &actCommands{}
		}
		switch {
		case line.Command == "summary":
			summary.WriteString(line.Content)
		case line.Raw != "":
			printed[line.Job].line(line.Raw)
		case line.RawOutput:
			printed[line.Job].line(line.Message)
		}
		failed[line.Job] = failed[line.Job] || line.StepResult == "failure"
		if line.JobResult != "" {
			// act says so of every job of a matrix that ends after one that failed.
			if line.JobResult == "failure" && len(line.Matrix) > 0 && !failed[line.Job] {
				line.JobResult = "success"
			}
			_, name, _ := strings.Cut(strings.TrimRight(line.Job, " "), "/")
			endings = append(endings, ending{id: line.JobID, name: name, result: line.JobResult})
			entries[line.JobID]++
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read act's log: %w", err)
	}
	for _, e := range endings {
		// act numbers the jobs of a matrix.
		if entries[e.id] > 1 {
			e.name = matrixNumber.ReplaceAllString(e.name, "")
		}
		run.jobs = append(run.jobs, e.name+"="+e.result)
	}
	slices.Sort(run.jobs)
	for _, job := range slices.Sorted(maps.Keys(printed)) {
		run.annotations = append(run.annotations, printed[job].annotations...)
		run.commands = append(run.commands, printed[job].others...)
	}
	run.log, run.summary = text.String(), summary.String()
	return run, nil
}

// actSteps reads the records of the shell's wrapper and removes them.
func actSteps(dir string) ([]actStep, error) {
	scripts, err := filepath.Glob(filepath.Join(dir, "*.script"))
	if err != nil {
		return nil, err
	}
	var steps []actStep
	for _, name := range scripts {
		script, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read step: %w", err)
		}
		environment := strings.TrimSuffix(name, ".script") + ".env"
		env, err := os.ReadFile(environment)
		if err != nil {
			return nil, fmt.Errorf("read step: %w", err)
		}
		steps = append(steps, actStep{script: string(script), env: string(env)})
		for _, done := range []string{name, environment} {
			if err := os.Remove(done); err != nil {
				return nil, fmt.Errorf("remove step: %w", err)
			}
		}
	}
	return steps, nil
}

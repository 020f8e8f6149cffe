package lint

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/rhysd/actionlint"

	"garnix2gha/generator/diag"
)

// Limits in bytes that GitHub sets on a workflow; past them a file is refused or its run never starts.
const (
	maxFile       = 500_000
	maxExpression = 21_000 // of a value that holds any expression
	maxScript     = 16_000 // of a script: GitHub refused some a little above 20,000
)

var (
	pinned  = regexp.MustCompile(`^([^@\s]+@[0-9a-f]{40}|docker://\S+@sha256:\S+)$`)
	version = regexp.MustCompile(`#.*\d`) // in whatever form a bot keeps it
)

// rules are the project's own, which hold what an overlay adds to what holds for every generated file.
type rules struct {
	diags *diag.List
	file  string
	lines []string
}

func (r rules) add(s diag.Severity, pos *actionlint.Pos, code, hint, format string, args ...any) {
	at := diag.Pos{File: r.file}
	if pos != nil {
		at.Line, at.Column = pos.Line, pos.Col
	}
	r.diags.Add(s, at, code, hint, format, args...)
}

// warn tells what is missing that everything should have.
func (r rules) warn(missing bool, pos *actionlint.Pos, code, hint, message string) {
	if missing {
		r.add(diag.Warning, pos, code, hint, "%s", message)
	}
}

func (r rules) workflow(w *actionlint.Workflow) {
	r.warn(text(w.Name) == "", nil, "unnamed-workflow", "add name:", "the workflow has no name")
	for _, event := range w.On {
		if hook, ok := event.(*actionlint.WebhookEvent); ok && (hook.EventName() == "pull_request_target" || hook.EventName() == "workflow_run") {
			r.add(diag.Error, hook.Pos, "dangerous-trigger", "use pull_request, which has no secrets on forks",
				"%s runs with secrets and a write token on what a fork controls", hook.EventName())
		}
	}
	for _, job := range w.Jobs {
		if w.Permissions == nil && job.Permissions == nil {
			r.add(diag.Error, nil, "permissions-missing", `add "permissions: {}" at the top and the least to each job`,
				"without permissions: the token may be able to write everything")
			break
		}
	}
	r.permissions(w.Permissions, true)
	r.env(w.Env)
	for _, job := range w.Jobs {
		r.job(job)
		for _, step := range job.Steps {
			r.step(step)
		}
	}
}

func (r rules) permissions(p *actionlint.Permissions, top bool) {
	if p == nil {
		return
	}
	if p.All != nil {
		r.add(diag.Error, p.All.Pos, "permissions-broad", "name each permission that is needed", "permissions: %s", p.All.Value)
	}
	for _, scope := range p.Scopes {
		if top && text(scope.Value) == "write" {
			r.add(diag.Error, scope.Value.Pos, "permissions-broad", "move it to the one job that needs it", "%s: write holds for every job", scope.Name.Value)
		}
	}
}

func (r rules) job(job *actionlint.Job) {
	r.warn(text(job.Name) == "", job.Pos, "unnamed-job", "add name:", "the job has no name")
	r.permissions(job.Permissions, false)
	if call := job.WorkflowCall; call != nil {
		if call.InheritSecrets {
			r.add(diag.Error, call.Uses.Pos, "secrets-inherit", "name each secret", "every secret is handed to %s", call.Uses.Value)
		}
		r.uses(call.Uses)
		return
	}
	r.warn(job.TimeoutMinutes == nil, job.Pos, "no-timeout", "add timeout-minutes:", "the job may run for six hours")
	r.env(job.Env)
}

func (r rules) step(step *actionlint.Step) {
	r.warn(text(step.Name) == "", step.Pos, "unnamed-step", "add name:", "the step has no name")
	r.env(step.Env)
	switch exec := step.Exec.(type) {
	case *actionlint.ExecRun:
		r.run(exec.Run)
	case *actionlint.ExecAction:
		r.uses(exec.Uses)
		for _, input := range exec.Inputs {
			r.value(input.Value)
		}
		keep := exec.Inputs["persist-credentials"]
		checkout := strings.HasPrefix(strings.ToLower(text(exec.Uses)), "actions/checkout@")
		if checkout && (keep == nil || text(keep.Value) != "false") {
			r.add(diag.Error, exec.Uses.Pos, "persist-credentials", `add "persist-credentials: false"`,
				"the checkout leaves the token where every later step can read it")
		}
	}
}

func (r rules) run(run *actionlint.String) {
	switch script := text(run); {
	case strings.Contains(script, "${{"):
		r.add(diag.Error, run.Pos, "expression-in-run", `pass it through env: and use "$NAME"`,
			"an expression inside run: is pasted into the script before the shell reads it")
	case len(script) > maxScript:
		r.add(diag.Error, run.Pos, "script-too-large", "split the step",
			"%d bytes of script; at most %d", len(script), maxScript)
	}
}

func (r rules) uses(uses *actionlint.String) {
	switch {
	case uses == nil:
	case strings.HasPrefix(uses.Value, "./"):
		r.add(diag.Error, uses.Pos, "local-uses", "put the steps into the workflow", "%s is whatever the checked-out commit says", uses.Value)
	case !pinned.MatchString(uses.Value):
		r.add(diag.Error, uses.Pos, "unpinned-uses", "pin it to a 40-hex commit, with the version as comment, or an image to its digest",
			"%s can change under you", uses.Value)
	case strings.HasPrefix(uses.Value, "docker://"):
	case !version.MatchString(r.lines[min(uses.Pos.Line, len(r.lines))-1]): // the parser may count too many lines
		r.add(diag.Warning, uses.Pos, "unversioned-pin", "add the version as comment: # v1.2.3",
			"%s does not say which version it is", uses.Value)
	}
}

func (r rules) env(env *actionlint.Env) {
	if env == nil {
		return
	}
	for _, v := range env.Vars {
		r.value(v.Value)
		if strings.Contains(strings.ReplaceAll(text(v.Value), " ", ""), "toJSON(secrets)") {
			r.add(diag.Error, v.Value.Pos, "every-secret", "name the one secret that is needed", "every secret is put into %s", v.Name.Value)
		}
	}
}

func (r rules) value(s *actionlint.String) {
	if strings.Contains(text(s), "${{") && len(s.Value) > maxExpression {
		r.add(diag.Error, s.Pos, "expression-too-large", "move the data out of the expression",
			"%d bytes in a value with an expression; GitHub loads none above %d", len(s.Value), maxExpression)
	}
}

// text is what a string says, "" for one that is not there.
func text(s *actionlint.String) string { return cmp.Or(s, &actionlint.String{}).Value }

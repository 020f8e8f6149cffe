package lint

import (
	"regexp"
	"strings"

	"github.com/rhysd/actionlint"

	"garnix2gha/generator/diag"
)

// Limits that GitHub sets on a workflow; past them a file is refused or its run never starts.
const (
	// MaxFile is the size of a workflow file in bytes.
	MaxFile = 500_000
	// MaxExpression is the size of a scalar that holds any expression; counted in bytes, as several projects found.
	MaxExpression = 21_000
	// MaxScript is the size of a script that this project allows itself in bytes.
	MaxScript = 16_000
)

var (
	pinned  = regexp.MustCompile(`^[^@\s]+@[0-9a-f]{40}$`)
	version = regexp.MustCompile(`#\s*\S*v?\d`)
)

// rules walks one workflow; its methods are the project's own rules, each with one code.
type rules struct {
	diags *diag.List
	file  string
	src   []byte
}

func own(diags *diag.List, file string, src []byte, workflow *actionlint.Workflow) {
	r := rules{diags: diags, file: file, src: src}
	if len(src) > MaxFile {
		r.errorf(nil, "file-too-large", `list fewer targets or set "strategy: dynamic"`, "%d bytes; GitHub starts no workflow above %d", len(src), MaxFile)
	}
	if workflow == nil {
		return
	}
	r.workflow(workflow)
	for _, job := range workflow.Jobs {
		r.job(job)
		for _, step := range job.Steps {
			r.step(step)
		}
	}
}

func (r rules) at(pos *actionlint.Pos) diag.Pos {
	if pos == nil {
		return diag.Pos{File: r.file}
	}
	return diag.Pos{File: r.file, Line: pos.Line, Column: pos.Col}
}

func (r rules) errorf(pos *actionlint.Pos, code, hint, format string, args ...any) {
	r.diags.Errorf(r.at(pos), code, hint, format, args...)
}

func (r rules) warnf(pos *actionlint.Pos, code, hint, format string, args ...any) {
	r.diags.Warnf(r.at(pos), code, hint, format, args...)
}

func (r rules) workflow(w *actionlint.Workflow) {
	if empty(w.Name) {
		r.warnf(nil, "unnamed-workflow", "add name:", "the workflow has no name")
	}
	for _, event := range w.On {
		switch event.EventName() {
		case "pull_request_target", "workflow_run":
			var pos *actionlint.Pos
			if hook, ok := event.(*actionlint.WebhookEvent); ok {
				pos = hook.Pos
			}
			r.errorf(pos, "dangerous-trigger", "use pull_request, which has no secrets on forks",
				"%s runs with secrets and a write token on what a fork controls", event.EventName())
		}
	}
	switch {
	case w.Permissions == nil:
		missing := false
		for _, job := range w.Jobs {
			missing = missing || job.Permissions == nil
		}
		if missing {
			r.errorf(nil, "permissions-missing", `add "permissions: {}" at the top and the least to each job`,
				"without permissions: the token may be able to write everything")
		}
	default:
		r.permissions(w.Permissions, true)
	}
	if w.Env != nil {
		r.env(w.Env)
	}
}

func (r rules) permissions(p *actionlint.Permissions, top bool) {
	if p.All != nil {
		r.errorf(p.All.Pos, "permissions-broad", "name each permission that is needed", "permissions: %s", p.All.Value)
	}
	for _, scope := range p.Scopes {
		if top && scope.Value != nil && scope.Value.Value == "write" {
			r.errorf(scope.Value.Pos, "permissions-broad", "move it to the one job that needs it",
				"%s: write holds for every job", scope.Name.Value)
		}
	}
}

func (r rules) job(job *actionlint.Job) {
	if empty(job.Name) {
		r.warnf(job.Pos, "unnamed-job", "add name:", "job %q has no name", job.ID.Value)
	}
	if job.Permissions != nil {
		r.permissions(job.Permissions, false)
	}
	if job.WorkflowCall != nil {
		r.call(job.WorkflowCall)
		return
	}
	if job.TimeoutMinutes == nil {
		r.warnf(job.Pos, "no-timeout", "add timeout-minutes:", "job %q may run for six hours", job.ID.Value)
	}
	if job.Env != nil {
		r.env(job.Env)
	}
}

func (r rules) call(call *actionlint.WorkflowCall) {
	if call.InheritSecrets {
		r.errorf(call.Uses.Pos, "secrets-inherit", "name each secret", "every secret is handed to %s", call.Uses.Value)
	}
	if call.Uses != nil {
		r.uses(call.Uses)
	}
}

func (r rules) step(step *actionlint.Step) {
	if empty(step.Name) {
		r.warnf(step.Pos, "unnamed-step", "add name:", "the step has no name")
	}
	if step.Env != nil {
		r.env(step.Env)
	}
	switch exec := step.Exec.(type) {
	case *actionlint.ExecRun:
		r.run(exec.Run)
	case *actionlint.ExecAction:
		if exec.Uses == nil {
			return
		}
		r.uses(exec.Uses)
		for _, input := range exec.Inputs {
			r.size(input.Value)
		}
		if name, _, _ := strings.Cut(exec.Uses.Value, "@"); strings.EqualFold(name, "actions/checkout") {
			if keep := exec.Inputs["persist-credentials"]; keep == nil || keep.Value == nil || keep.Value.Value != "false" {
				r.errorf(exec.Uses.Pos, "persist-credentials", `add "persist-credentials: false"`,
					"the checkout leaves the token where every later step can read it")
			}
		}
	}
}

func (r rules) run(run *actionlint.String) {
	if run == nil {
		return
	}
	if i := strings.Index(run.Value, "${{"); i >= 0 {
		r.errorf(run.Pos, "expression-in-run", `pass it through env: and use "$NAME"`,
			"an expression inside run: is pasted into the script before the shell reads it")
	}
	if len(run.Value) > MaxScript {
		r.errorf(run.Pos, "script-too-large", "split the step", "%d bytes of script; at most %d", len(run.Value), MaxScript)
	}
	r.size(run)
}

func (r rules) uses(uses *actionlint.String) {
	switch {
	case strings.HasPrefix(uses.Value, "docker://"):
		if !strings.Contains(uses.Value, "@sha256:") {
			r.errorf(uses.Pos, "unpinned-uses", "pin the image by digest", "%s can change under you", uses.Value)
		}
	case strings.HasPrefix(uses.Value, "./"):
		r.errorf(uses.Pos, "local-uses", "put the steps into the workflow", "%s is whatever the checked-out commit says", uses.Value)
	case !pinned.MatchString(uses.Value):
		r.errorf(uses.Pos, "unpinned-uses", "pin it to a 40-hex commit, with the version as comment",
			"%s can change under you", uses.Value)
	case !version.MatchString(lineAt(r.src, uses.Pos.Line)):
		r.warnf(uses.Pos, "unversioned-pin", "add the version as comment: # v1.2.3", "%s does not say which version it is", uses.Value)
	}
}

func (r rules) env(env *actionlint.Env) {
	for _, v := range env.Vars {
		r.size(v.Value)
		if v.Value != nil && strings.Contains(strings.ReplaceAll(v.Value.Value, " ", ""), "toJSON(secrets)") {
			r.errorf(v.Value.Pos, "every-secret", "name the one secret that is needed", "every secret is put into %s", v.Name.Value)
		}
	}
}

func (r rules) size(s *actionlint.String) {
	if s != nil && strings.Contains(s.Value, "${{") && len(s.Value) > MaxExpression {
		r.errorf(s.Pos, "expression-too-large", "move the data out of the expression",
			"%d bytes in a value with an expression; GitHub loads none above %d", len(s.Value), MaxExpression)
	}
}

func empty(s *actionlint.String) bool { return s == nil || s.Value == "" }

// Package lint judges workflows: actionlint's rules and this project's own. It is the only importer of actionlint.
package lint

import (
	"fmt"
	"strings"

	"github.com/rhysd/actionlint"

	"garnix2gha/generator/diag"
)

// Check returns what is wrong with the workflow src by every rule, sorted. Labels names runner labels beyond GitHub's
// own. The error is a failure of the linter itself, not of the workflow.
func Check(file string, src []byte, labels []string) (diag.List, error) {
	workflow, diags, err := parse(file, src, labels)
	if err != nil {
		return nil, err
	}
	r := rules{diags: &diags, file: file, lines: strings.Split(string(src), "\n")}
	if len(src) > maxFile {
		r.add(diag.Error, nil, "file-too-large", `list fewer targets or set "strategy: dynamic"`, "%d bytes; GitHub starts no workflow above %d", len(src), maxFile)
	}
	if workflow != nil {
		r.workflow(workflow)
	}
	return diags.Sorted(), nil
}

// Sound returns what actionlint alone finds wrong, sorted: what this project demands beyond is no concern of others.
func Sound(file string, src []byte, labels []string) (diag.List, error) {
	_, diags, err := parse(file, src, labels)
	return diags.Sorted(), err
}

// parse applies actionlint's rules. Its Linter type is not used: it sets a global, prints, and looks at the file system.
func parse(file string, src []byte, labels []string) (*actionlint.Workflow, diag.List, error) {
	workflow, problems := actionlint.Parse(src)
	config := &actionlint.Config{}
	config.SelfHostedRunner.Labels = labels
	rules, visitor := theirs(), actionlint.NewVisitor()
	for _, rule := range rules {
		rule.SetConfig(config)
		visitor.AddPass(rule)
	}
	if workflow != nil {
		if err := visitor.Visit(workflow); err != nil {
			return nil, nil, fmt.Errorf("lint %s: %w", file, err)
		}
	}
	for _, rule := range rules {
		problems = append(problems, rule.Errs()...)
	}
	var diags diag.List
	for _, p := range problems {
		diags.Errorf(diag.Pos{File: file, Line: p.Line, Column: p.Column}, "actionlint-"+p.Kind, "", "%s", p.Message)
	}
	return workflow, diags, nil
}

// theirs are actionlint's rules for one workflow, without those that start a program.
func theirs() []actionlint.Rule {
	actions := actionlint.NewLocalActionsCache(nil, nil)
	workflows := actionlint.NewLocalReusableWorkflowCache(nil, "", nil)
	return []actionlint.Rule{
		actionlint.NewRuleMatrix(),
		actionlint.NewRuleCredentials(),
		actionlint.NewRuleShellName(),
		actionlint.NewRuleRunnerLabel(),
		actionlint.NewRuleEvents(),
		actionlint.NewRuleJobNeeds(),
		actionlint.NewRuleAction(actions),
		actionlint.NewRuleEnvVar(),
		actionlint.NewRuleID(),
		actionlint.NewRuleGlob(),
		actionlint.NewRulePermissions(),
		actionlint.NewRuleWorkflowCall("", workflows),
		actionlint.NewRuleExpression(actions, workflows),
		actionlint.NewRuleDeprecatedCommands(),
		actionlint.NewRuleIfCond(),
	}
}

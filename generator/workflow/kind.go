package workflow

// ranks gives the order in which a person writes the keys of each kind of mapping; what is not named follows
// alphabetically.
var ranks = map[kind][]string{
	workflowKeys: {"name", "run-name", "on", "permissions", "env", "defaults", "concurrency", "jobs"},
	triggerKeys:  {"push", "pull_request", "merge_group", "schedule", "workflow_dispatch"},
	jobKeys: {
		"name", "needs", "if", "runs-on", "environment", "permissions", "timeout-minutes", "concurrency", "strategy",
		"outputs", "env", "defaults", "steps",
	},
	strategyKeys: {"fail-fast", "max-parallel", "matrix"},
	stepKeys: {
		"name", "id", "if", "uses", "with", "shell", "working-directory", "timeout-minutes", "continue-on-error", "env",
		"run",
	},
	inputKeys:       {"description", "type", "required", "default"},
	concurrencyKeys: {"group", "cancel-in-progress"},
	withKeys:        {"name", "pattern", "ref", "path"},
}

// kind says what a mapping is, which decides the order of its keys and the kind of its values.
type kind int

const (
	plainKeys kind = iota
	workflowKeys
	triggerKeys
	jobsKeys
	jobKeys
	strategyKeys
	stepKeys
	withKeys
	inputsKeys
	inputKeys
	concurrencyKeys
)

// child returns the kind of the value under key in a mapping of kind k.
func (k kind) child(key string) kind {
	switch {
	case k == workflowKeys && key == "on":
		return triggerKeys
	case k == workflowKeys && key == "jobs":
		return jobsKeys
	case (k == workflowKeys || k == jobKeys) && key == "concurrency":
		return concurrencyKeys
	case k == jobsKeys:
		return jobKeys
	case k == jobKeys && key == "steps":
		return stepKeys
	case k == jobKeys && key == "strategy":
		return strategyKeys
	case k == stepKeys && key == "with":
		return withKeys
	case k == triggerKeys && key == "workflow_dispatch":
		return inputsKeys
	case k == inputsKeys && key != "inputs":
		return inputKeys
	case k == inputsKeys:
		return inputsKeys
	}
	return plainKeys
}

// The rules that require checks, and the checks that they should require.

package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/generator/flake"
)

// Rule is what requires checks: a ruleset, or a classic branch protection. After, Waits and Moved are a Move's.
type Rule struct {
	Kind   string  `json:"kind"`   // "ruleset" or "branch protection"
	Name   string  `json:"name"`   // of the ruleset; the pattern of the protected branches
	Source string  `json:"source"` // the repository, or the organization or enterprise whose ruleset it is
	Own    bool    `json:"own"`    // whether it is the repository's, which alone can be changed here
	URL    string  `json:"url"`    // its page; "" is unknown
	Checks []Check `json:"checks"`
	After  []Check `json:"after"` // what it should require
	Waits  bool    `json:"waits"` // whether one of the checks waits for garnix
	Moved  bool    `json:"moved"` // whether After is what it requires now

	put func(context.Context, []Check) error
}

// String names the rule and whose it is.
func (r Rule) String() string {
	return fmt.Sprintf("%s %q of %s", r.Kind, r.Name, restapi.Clean(r.Source))
}

// Check is a required check.
type Check struct {
	Name string `json:"name"`
	App  int64  `json:"app"` // the id of the one app that may report it; 0 is any

	node   string         // the app's global id
	fields map[string]any // in a ruleset all that GitHub says of it
}

// App is a GitHub App that reports checks; one without ID is unknown to GitHub.
type App struct {
	ID   int64  `json:"id"`
	Node string `json:"node_id"`
}

// apps finds the apps that a move is about.
func (r *Repository) apps(ctx context.Context, m *Move) error {
	apps := []*App{&m.Actions, &m.Garnix}
	for i, slug := range []string{"github-actions", "garnix-ci"} {
		found, err := ask[App](ctx, r, "apps/"+slug)
		switch {
		case err == nil:
			*apps[i] = found[0]
		case !refusedWith(err, http.StatusNotFound):
			return fmt.Errorf("find app %s: %w", slug, err)
		}
	}
	if m.Actions.ID == 0 {
		return errors.New("this GitHub has no GitHub Actions")
	}
	return nil
}

// Rules lists what requires checks of the repository, and what a move makes of it, for which it finds the apps:
// rulesets, those of its organization too, and then branch protections, which GitHub shows to administrators alone. Both
// are in GitHub's order.
func (r *Repository) Rules(ctx context.Context, m *Move) ([]Rule, error) {
	if err := r.apps(ctx, m); err != nil {
		return nil, err
	}
	rulesets, err := r.rulesets(ctx)
	if err != nil {
		return nil, fmt.Errorf("read rulesets of %s: %w", r, err)
	}
	protections, err := r.protections(ctx)
	if err != nil {
		return nil, fmt.Errorf("read branch protections of %s: %w", r, err)
	}
	rules := append(rulesets, protections...)
	for i := range rules {
		rules[i].After, rules[i].Waits = m.Of(rules[i].Checks), slices.ContainsFunc(rules[i].Checks, m.Waits)
	}
	return rules, nil
}

// Move makes a rule of the repository require After, and leaves the rest of the rule as it is.
func (r *Repository) Move(ctx context.Context, rule *Rule) error {
	if err := rule.put(ctx, rule.After); err != nil {
		return fmt.Errorf("change %s %q of %s: %w", rule.Kind, rule.Name, r, err)
	}
	rule.Moved = true
	return nil
}

func (r *Repository) rulesets(ctx context.Context) ([]Rule, error) {
	pages, err := ask[[]struct{ ID json.Number }](ctx, r, "--paginate", r.path("rulesets")+"?per_page=100")
	if err != nil {
		return nil, err
	}
	var rules []Rule
	for _, listed := range slices.Concat(pages...) {
		path := r.path("rulesets", listed.ID.String())
		found, err := ask[map[string]any](ctx, r, path)
		if err != nil {
			return nil, err
		}
		if rule, ok := r.ruleset(found[0], path); ok {
			rules = append(rules, rule)
		}
	}
	return rules, nil
}

// ruleset reads a ruleset that requires checks.
func (r *Repository) ruleset(all map[string]any, path string) (Rule, bool) {
	const checks = "required_status_checks" // the type of the rule, and the list in its parameters
	var parameters map[string]any
	for _, rule := range get[[]any](all, "rules") {
		if rule, _ := rule.(map[string]any); rule["type"] == checks {
			parameters = get[map[string]any](rule, "parameters")
		}
	}
	rule := Rule{
		Kind: "ruleset", Name: get[string](all, "name"), Source: get[string](all, "source"), Own: all["source_type"] == "Repository",
		URL: get[string](get[map[string]any](get[map[string]any](all, "_links"), "html"), "href"),
	}
	for _, item := range get[[]any](parameters, checks) {
		fields, _ := item.(map[string]any)
		app, _ := get[json.Number](fields, "integration_id").Int64()
		rule.Checks = append(rule.Checks, Check{Name: get[string](fields, "context"), App: app, fields: fields})
	}
	rule.put = func(ctx context.Context, required []Check) error {
		list := []map[string]any{}
		for _, c := range required {
			list = append(list, c.fields)
		}
		parameters[checks] = list
		for _, told := range []string{"id", "node_id", "source", "source_type", "created_at", "updated_at", "_links", "current_user_can_bypass"} {
			delete(all, told) // by GitHub, and refused from others
		}
		_, err := r.api(ctx, all, "--method", http.MethodPut, path)
		return err
	}
	return rule, len(rule.Checks) > 0
}

// get returns a field of a decoded JSON object, if it is there and of this type.
func get[T any](object map[string]any, field string) T {
	value, _ := object[field].(T)
	return value
}

// The protection of a pattern of branches is known to this API alone.
const (
	readProtections = `query($owner: String!, $name: String!, $endCursor: String) { repository(owner: $owner, name: $name) {
  branchProtectionRules(first: 100, after: $endCursor) { pageInfo { hasNextPage endCursor }
    nodes { id pattern requiresStatusChecks requiredStatusChecks { context app { id databaseId } } } } } }`
	writeProtection = `mutation($rule: ID!, $checks: [RequiredStatusCheckInput!]) {
  updateBranchProtectionRule(input: {branchProtectionRuleId: $rule, requiredStatusChecks: $checks}) { clientMutationId } }`
)

func (r *Repository) protections(ctx context.Context) ([]Rule, error) {
	type protection struct {
		ID, Pattern          string
		RequiresStatusChecks bool
		RequiredStatusChecks []struct {
			Context string
			App     struct {
				ID         string
				DatabaseID int64
			}
		}
	}
	owner, name, _ := strings.Cut(r.Name, "/")
	pages, err := ask[struct {
		Data struct {
			Repository struct{ BranchProtectionRules struct{ Nodes []protection } }
		}
	}](ctx, r, "graphql", "--paginate", "--raw-field", "owner="+owner, "--raw-field", "name="+name, "--raw-field", "query="+readProtections)
	var rules []Rule
	for _, page := range pages {
		for _, p := range page.Data.Repository.BranchProtectionRules.Nodes {
			if !p.RequiresStatusChecks {
				continue
			}
			rule := Rule{Kind: "branch protection", Name: p.Pattern, Source: r.Name, Own: true, URL: "https://" + r.Host + "/" + r.Name + "/settings/branches"}
			for _, c := range p.RequiredStatusChecks {
				rule.Checks = append(rule.Checks, Check{Name: c.Context, App: c.App.DatabaseID, node: c.App.ID})
			}
			rule.put = func(ctx context.Context, required []Check) error { return r.protect(ctx, p.ID, required) }
			rules = append(rules, rule)
		}
	}
	return rules, err
}

func (r *Repository) protect(ctx context.Context, id string, required []Check) error {
	checks := []map[string]string{}
	for _, c := range required {
		app := c.node
		if app == "" {
			app = "any" // else GitHub takes whichever app reported last
		}
		checks = append(checks, map[string]string{"context": c.Name, "appId": app})
	}
	_, err := r.api(ctx, map[string]any{"query": writeProtection, "variables": map[string]any{"rule": id, "checks": checks}}, "graphql")
	return err
}

// Move puts the aggregate, which GitHub Actions reports, in the place of garnix's checks.
type Move struct {
	Aggregate string
	Actions   App                    // GitHub Actions
	Garnix    App                    // without ID if GitHub no longer knows it
	Posted    func(name string) bool // whether the workflows post a status of this name
}

// Of returns the checks that a rule should require instead of these, in order: the same if none waits for garnix.
func (m Move) Of(checks []Check) []Check {
	var after []Check
	at := -1 // where the aggregate goes
	for _, c := range checks {
		switch {
		case !m.Waits(c):
			after = append(after, c)
		case m.Posted(c.Name):
			after = append(after, m.bound(c))
		case at < 0:
			at = len(after)
		}
	}
	if at < 0 || slices.ContainsFunc(after, func(c Check) bool { return c.Name == m.Aggregate && (c.App == 0 || c.App == m.Actions.ID) }) {
		return after
	}
	return slices.Insert(after, at, m.bound(Check{Name: m.Aggregate, fields: map[string]any{"context": m.Aggregate}}))
}

// bound is the check with GitHub Actions as the one app that may report it.
func (m Move) bound(c Check) Check {
	c.App, c.node = m.Actions.ID, m.Actions.Node
	if c.fields != nil {
		c.fields = maps.Clone(c.fields)
		c.fields["integration_id"] = c.App
	}
	return c
}

// Waits reports whether only garnix could report a check. Another app is believed to report what it must, and so is
// anybody under a name that is not garnix's alone.
func (m Move) Waits(c Check) bool {
	switch {
	case c.App == m.Actions.ID, c.App == 0 && (c.Name == m.Aggregate || m.Posted(c.Name)):
		return false
	case c.App != 0 && m.Garnix.ID != 0:
		return c.App == m.Garnix.ID
	}
	kind := flake.GarnixCheck(c.Name)
	return kind == flake.CommitCheck || kind == flake.TargetCheck
}

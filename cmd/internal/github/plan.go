package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/cmd/internal/secretsource"
)

// maxValue is the longest value of a variable or secret, in bytes. Source: GitHub's documentation of secrets.
const maxValue = 48 << 10

// Desired is how a repository's, or one of its environments', variables and secrets shall be. Others are left alone.
type Desired struct {
	Owner, Repo string
	// Environment is the name of an environment; "" is the repository itself.
	Environment string
	Variables   map[string]string
	Secrets     map[string]secretsource.Value
}

// Kind is what a change is about.
type Kind string

// The kinds.
const (
	Variable Kind = "variable"
	Secret   Kind = "secret"
)

// Action is what a change does.
type Action string

// The actions. Unknown is a secret that is there already: GitHub shows no value, so it will be replaced.
const (
	Create    Action = "create"
	Update    Action = "update"
	Unchanged Action = "unchanged"
	Unknown   Action = "unknown"
)

// Change is one step from what is to what is desired, made by Plan. It prints and encodes without the value.
type Change struct {
	Kind   Kind   `json:"kind"`
	Name   string `json:"name"`
	Action Action `json:"action"`
	// Where is the repository or environment, for people.
	Where string `json:"where"`

	at    place
	value secretsource.Value
}

// String is a change as a sentence without its value.
func (c Change) String() string {
	switch c.Action {
	case Unknown:
		return fmt.Sprintf("%s %s in %s will be replaced (value unknown)", c.Kind, c.Name, c.Where)
	case Unchanged:
		return fmt.Sprintf("%s %s in %s is unchanged", c.Kind, c.Name, c.Where)
	}
	return fmt.Sprintf("%s %s %s in %s", c.Action, c.Kind, c.Name, c.Where)
}

// settingName is GitHub's rule for variables and secrets, but for the reserved prefix.
var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Plan compares what is desired with what is there, and changes nothing. The changes are ordered by kind (secrets first)
// and name; an unchanged variable is among them. Every name and value is checked before GitHub is asked anything.
func (c Client) Plan(ctx context.Context, desired Desired) ([]Change, error) {
	at := place{owner: desired.Owner, repo: desired.Repo, environment: desired.Environment}
	if err := desired.check(); err != nil {
		return nil, err
	}
	doing := "read repository " + place{owner: at.owner, repo: at.repo}.String()
	if _, err := c.call(ctx, doing, http.MethodGet, at.repository(), nil, http.StatusOK); err != nil {
		return nil, err
	}
	if err := c.checkPlace(ctx, at); err != nil {
		return nil, err
	}
	changes := []Change{}
	for _, name := range slices.Sorted(maps.Keys(desired.Variables)) {
		action, err := c.planVariable(ctx, at, name, desired.Variables[name])
		if err != nil {
			return nil, err
		}
		value := secretsource.NewValue(desired.Variables[name])
		changes = append(changes, Change{Kind: Variable, Name: name, Action: action, Where: at.String(), at: at, value: value})
	}
	for _, name := range slices.Sorted(maps.Keys(desired.Secrets)) {
		action, err := c.planSecret(ctx, at, name)
		if err != nil {
			return nil, err
		}
		changes = append(changes, Change{Kind: Secret, Name: name, Action: action, Where: at.String(), at: at, value: desired.Secrets[name]})
	}
	slices.SortFunc(changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return changes, nil
}

// checkPlace finds out whether an environment exists: further on, 404 means that a name is not set yet.
func (c Client) checkPlace(ctx context.Context, at place) error {
	if at.environment == "" {
		return nil
	}
	_, err := c.call(ctx, "read "+at.String(), http.MethodGet, at.path("variables")+"?per_page=1", nil, http.StatusOK)
	var refused *Error
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		refused.Hint = "make the environment in the repository's settings first; " + refused.Hint
	}
	return err
}

func (c Client) planVariable(ctx context.Context, at place, name, value string) (Action, error) {
	doing := fmt.Sprintf("read variable %s of %s", name, at)
	reply, err := c.call(ctx, doing, http.MethodGet, at.path("variables", name), nil, http.StatusOK, http.StatusNotFound)
	if err != nil {
		return "", err
	}
	if reply.Status == http.StatusNotFound {
		return Create, nil
	}
	var found struct {
		Value *string `json:"value"`
	}
	if err := decode(doing, reply, &found); err != nil {
		return "", err
	}
	if found.Value != nil && *found.Value == value {
		return Unchanged, nil
	}
	return Update, nil
}

func (c Client) planSecret(ctx context.Context, at place, name string) (Action, error) {
	doing := fmt.Sprintf("look for secret %s of %s", name, at)
	reply, err := c.call(ctx, doing, http.MethodGet, at.path("secrets", name), nil, http.StatusOK, http.StatusNotFound)
	if err != nil {
		return "", err
	}
	if reply.Status == http.StatusNotFound {
		return Create, nil
	}
	return Unknown, nil
}

// check refuses what GitHub would refuse, and a token about to be stored where everyone can read it; all problems at once.
func (d Desired) check() error {
	var problems []error
	if !validRepository(d.Owner, d.Repo) {
		problems = append(problems, fmt.Errorf("repository %q: want OWNER/NAME", restapi.Clean(d.Owner+"/"+d.Repo)))
	}
	if strings.ContainsFunc(d.Environment, func(r rune) bool { return r < ' ' }) || d.Environment == "." || d.Environment == ".." {
		problems = append(problems, fmt.Errorf("environment %q: no environment can have this name", restapi.Clean(d.Environment)))
	}
	variables, secrets := slices.Sorted(maps.Keys(d.Variables)), slices.Sorted(maps.Keys(d.Secrets))
	for _, name := range variables {
		value := d.Variables[name]
		problems = append(problems, checkSetting(Variable, name, value))
		if restapi.HoldsToken(value) {
			problems = append(problems, fmt.Errorf("variable %s: its value looks like a token, and everyone can read a variable; make it a secret", name))
		}
	}
	for _, name := range secrets {
		problems = append(problems, checkSetting(Secret, name, d.Secrets[name].Reveal()))
	}
	return errors.Join(append(problems, sameNames(Variable, variables), sameNames(Secret, secrets))...)
}

func checkSetting(kind Kind, name, value string) error {
	switch {
	case !settingName.MatchString(name):
		return fmt.Errorf("%s %q: a name is letters, digits and underscores and starts with no digit", kind, restapi.Clean(name))
	case strings.HasPrefix(strings.ToUpper(name), "GITHUB_"):
		return fmt.Errorf("%s %s: GitHub keeps names that start with GITHUB_ to itself", kind, name)
	case value == "":
		return fmt.Errorf("%s %s: its value is empty", kind, name)
	case len(value) > maxValue:
		return fmt.Errorf("%s %s: its value has %d bytes, GitHub takes %d at most", kind, name, len(value), maxValue)
	}
	return nil
}

// sameNames refuses names, given in order, that differ in case only: they are one name to GitHub.
func sameNames(kind Kind, names []string) error {
	var problems []error
	seen := map[string]string{}
	for _, name := range names {
		upper := strings.ToUpper(name)
		if first, twice := seen[upper]; twice {
			problems = append(problems, fmt.Errorf("%s %s: the same name to GitHub as %s", kind, name, first))
		}
		seen[upper] = name
	}
	return errors.Join(problems...)
}

// The variables and secrets of a repository's Actions.

package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/cmd/internal/secretsource"
)

// Kind is what a setting of a repository's Actions is.
type Kind string

// The kinds.
const (
	Variable Kind = "variable"
	Secret   Kind = "secret"
)

// Action is what a change does.
type Action string

// The actions. Unknown is a secret that is there, whose value GitHub does not show. Missing is neither there nor at hand.
const (
	Create    Action = "create"
	Update    Action = "update"
	Unchanged Action = "unchanged"
	Unknown   Action = "unknown"
	Missing   Action = "missing"
)

// Change is a variable or secret that is wanted, and what Plan decides about it. It prints and encodes without the value.
type Change struct {
	Kind   Kind               `json:"kind"`
	Name   string             `json:"name"`
	Value  secretsource.Value `json:"-"` // none means that it is only looked for
	Action Action             `json:"action"`
	Where  string             `json:"where"` // the repository or environment, for people
}

// Pending reports whether Apply has something to do.
func (c Change) Pending() bool { return c.Action != Unchanged && c.Action != Missing }

// Plan compares what is wanted with what is there, in the given order. It changes nothing.
func (r *Repository) Plan(ctx context.Context, wanted []Change) ([]Change, error) {
	where := r.String()
	if r.Environment != "" {
		where = fmt.Sprintf("environment %s of %s", restapi.Clean(r.Environment), r)
	}
	type named struct{ Name string }
	// GitHub takes a hundred secrets at most.
	listed, err := ask[struct{ Secrets []named }](ctx, r, r.place("secrets")+"?per_page=100")
	if refused, ok := errors.AsType[*Error](err); ok && refused.Status == http.StatusNotFound && r.Environment != "" {
		refused.Hint = "make the environment in the repository's settings first; " + refused.Hint
	}
	if err != nil {
		return nil, fmt.Errorf("list secrets of %s: %w", where, err)
	}
	changes := slices.Clone(wanted)
	for i := range changes {
		change := &changes[i]
		change.Where = where
		there, same := false, false
		if change.Kind == Secret {
			there = slices.ContainsFunc(listed[0].Secrets, func(s named) bool { return strings.EqualFold(s.Name, change.Name) })
		} else {
			found, err := ask[struct{ Value string }](ctx, r, r.place("variables", change.Name))
			if err != nil && !refusedWith(err, http.StatusNotFound) {
				return nil, fmt.Errorf("read variable %s of %s: %w", change.Name, where, err)
			}
			there = err == nil
			same = there && found[0].Value == change.Value.Reveal()
		}
		switch {
		case change.Value.Empty() && there, same:
			change.Action = Unchanged
		case change.Value.Empty():
			change.Action = Missing
		case !there:
			change.Action = Create
		case change.Kind == Secret:
			change.Action = Unknown
		default:
			change.Action = Update
		}
	}
	return changes, nil
}

// place is the API's path of what belongs to the repository's Actions, or to its environment.
func (r *Repository) place(below ...string) string {
	if r.Environment != "" {
		return r.path(append([]string{"environments", r.Environment}, below...)...)
	}
	return r.path(append([]string{"actions"}, below...)...)
}

// Apply makes the pending changes in order, up to the first that fails, and returns those that were made. It may be repeated.
func (r *Repository) Apply(ctx context.Context, changes []Change) (done []Change, err error) {
	for _, change := range changes {
		if !change.Pending() {
			continue
		}
		set := r.setVariable
		if change.Kind == Secret {
			set = r.setSecret
		}
		if err := set(ctx, change); err != nil {
			return done, fmt.Errorf("set %s %s of %s: %w", change.Kind, change.Name, change.Where, err)
		}
		done = append(done, change)
	}
	return done, nil
}

// setVariable creates or updates. A creation that meets an existing variable becomes an update: somebody was quicker.
func (r *Repository) setVariable(ctx context.Context, change Change) error {
	body := map[string]string{"name": change.Name, "value": change.Value.Reveal()}
	if change.Action == Create {
		_, err := r.api(ctx, body, "--method", http.MethodPost, r.place("variables"))
		if !refusedWith(err, http.StatusConflict) {
			return err
		}
	}
	_, err := r.api(ctx, body, "--method", http.MethodPatch, r.place("variables", change.Name))
	return err
}

// setSecret gives the value to gh on standard input; gh takes newlines off its end.
func (r *Repository) setSecret(ctx context.Context, change Change) error {
	args := []string{"secret", "set", change.Name, "--repo", r.Host + "/" + r.Name}
	if r.Environment != "" {
		args = append(args, "--env", r.Environment)
	}
	_, err := run(ctx, "", strings.NewReader(change.Value.Reveal()), args...)
	return err
}

package github

import (
	"maps"
	"slices"

	"garnix2gha/generator/flake"
)

// Move puts the aggregate, which GitHub Actions reports, in the place of garnix's checks.
type Move struct {
	Aggregate string
	Actions   App                    // GitHub Actions
	Garnix    App                    // without ID if GitHub no longer knows it
	Posted    func(name string) bool // whether the workflows post a status of this name
}

// Of returns the checks that a rule should require instead of these, in their order; the same ones if none waits for
// garnix.
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

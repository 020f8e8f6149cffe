package github

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMove(t *testing.T) {
	t.Parallel()
	const all, hello, web = "All Garnix checks", "package hello [x86_64-linux]", "nixosConfig web"
	actions, garnix := App{ID: 15368}, App{ID: 4711}
	check := func(name string, app int64) Check { return Check{Name: name, App: app} }
	for _, tc := range []struct {
		name      string
		aggregate string // "" is garnix's own name
		garnix    App
		posted    string
		give      []Check
		want      []Check // nil is no change
	}{
		{name: "a check bound to garnix is bound to GitHub Actions", garnix: garnix, give: []Check{check(all, 4711)}, want: []Check{check(all, 15368)}},
		{name: "also where GitHub no longer knows garnix's app", give: []Check{check(all, 4711)}, want: []Check{check(all, 15368)}},
		{name: "a check of the aggregate's name that any app may report stays", garnix: garnix, give: []Check{check(all, 0)}},
		{name: "one that GitHub Actions reports stays", garnix: garnix, give: []Check{check(all, 15368), check("lint", 15368)}},
		{name: "a name of garnix's own is moved to another aggregate", aggregate: "CI", garnix: garnix, give: []Check{check(all, 0)}, want: []Check{check("CI", 15368)}},
		{name: "targets are one check, in the place of the first", garnix: garnix,
			give: []Check{check("lint", 0), check(hello, 0), check("test", 12), check(web, 4711), check(all, 4711)},
			want: []Check{check("lint", 0), check(all, 15368), check("test", 12)}},
		{name: "an aggregate that is there is not there twice", garnix: garnix, give: []Check{check(hello, 0), check(all, 0)}, want: []Check{check(all, 0)}},
		{name: "one of another app is none", garnix: garnix, give: []Check{check(all, 12), check(hello, 4711)}, want: []Check{check(all, 12), check(all, 15368)}},
		{name: "another app may have checks of garnix's names, as a garnix at home", garnix: garnix, give: []Check{check(all, 12), check(hello, 12)}},
		{name: "where garnix's app is unknown, its names tell", give: []Check{check(hello, 12), check("lint", 12)}, want: []Check{check(all, 15368), check("lint", 12)}},
		{name: "everyday words are garnix's if they are bound to it", garnix: garnix, give: []Check{check("action deploy", 4711)}, want: []Check{check(all, 15368)}},
		{name: "and not otherwise", garnix: garnix, give: []Check{check("action deploy", 0), check("app tests", 12)}},
		{name: "whatever is bound to garnix waits for it", garnix: garnix, give: []Check{check("anything", 4711)}, want: []Check{check(all, 15368)}},
		{name: "a target that the workflow posts stays, bound to GitHub Actions", garnix: garnix, posted: hello,
			give: []Check{check(all, 4711), check(hello, 4711), check(web, 4711)}, want: []Check{check(all, 15368), check(hello, 15368)}},
		{name: "one that any app may post stays as it is", garnix: garnix, posted: hello, give: []Check{check(hello, 0)}},
		{name: "a rule with nothing but posted targets gets no other check", garnix: garnix, posted: hello, give: []Check{check(hello, 4711)}, want: []Check{check(hello, 15368)}},
		{name: "no checks stay no checks", garnix: garnix},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := Move{Aggregate: tc.aggregate, Actions: actions, Garnix: tc.garnix, Posted: func(name string) bool { return name == tc.posted }}
			if m.Aggregate == "" {
				m.Aggregate = all
			}
			// As the API has them: fields that nobody here knows come along.
			var give []Check
			for _, c := range tc.give {
				c.fields = map[string]any{"context": c.Name, "more": c.Name}
				give = append(give, c)
			}
			got := m.Of(give)
			want := tc.want
			if want == nil {
				want = tc.give
			}
			var shown []Check
			for _, c := range got {
				assert.Equal(t, c.Name, c.fields["context"])
				if c.fields["integration_id"] != nil {
					assert.Equal(t, c.App, c.fields["integration_id"])
				}
				shown = append(shown, check(c.Name, c.App))
			}
			assert.Equal(t, want, shown)
			assert.Equal(t, got, m.Of(got), "twice is once")
			for _, c := range give {
				assert.Nil(t, c.fields["integration_id"], "what was read is not touched")
			}
		})
	}
}

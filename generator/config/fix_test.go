package config_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/target"
)

// draft is a configuration whose matchers are texts. It is written with one matcher a line.
type draft []draftSection

type draftSection struct {
	branch           string   // none if empty
	include, exclude []string // nil: the key is left out
}

// spot is where a matcher stands in a draft.
type spot struct {
	section int
	exclude bool
	index   int
}

func (d draft) clone() draft {
	out := slices.Clone(d)
	for i := range out {
		out[i].include, out[i].exclude = slices.Clone(d[i].include), slices.Clone(d[i].exclude)
	}
	return out
}

func (d draft) list(s spot) *[]string {
	if s.exclude {
		return &d[s.section].exclude
	}
	return &d[s.section].include
}

// render returns the file and what stands on each of its lines.
func (d draft) render() (src []byte, spots map[int]spot) {
	text, line := strings.Builder{}, 0
	spots = map[int]spot{}
	write := func(format string, args ...any) {
		fmt.Fprintf(&text, format+"\n", args...)
		line++
	}
	write("builds:")
	for i, s := range d {
		write("  - x: 0")
		if s.branch != "" {
			write("    branch: %q", s.branch)
		}
		for _, exclude := range []bool{false, true} {
			list, key := s.include, "include"
			if exclude {
				list, key = s.exclude, "exclude"
			}
			switch {
			case list == nil:
				continue
			case len(list) == 0:
				write("    %s: []", key)
				continue
			}
			write("    %s:", key)
			for j, matcher := range list {
				write("      - %q", matcher)
				spots[line] = spot{section: i, exclude: exclude, index: j}
			}
		}
	}
	return []byte(text.String()), spots
}

// with puts texts in the place of matchers, the last first so that no spot moves.
func (d draft) with(changes map[spot][]string) draft {
	out := d.clone()
	var order []spot
	for s := range changes {
		order = append(order, s)
	}
	slices.SortFunc(order, func(a, b spot) int { return b.index - a.index })
	for _, s := range order {
		list := out.list(s)
		*list = slices.Replace(*list, s.index, s.index+1, changes[s]...)
	}
	return out
}

func pick(r *rand.Rand, words ...string) string { return words[r.IntN(len(words))] }

func randomMatcher(r *rand.Rand) string {
	first := func() string {
		return pick(r, "packages", "packages", "checks", "devShells", "devShell", "defaultPackage", "nixosConfigurations", "homeConfigurations", "*", "*",
			"package", "devshell", "nixosConfiguration", "Checks", "apps", "legacyPackages", "x86_64-linux", "*Configurations", "dev*", "=packages", "")
	}
	system := func() string {
		return pick(r, "x86_64-linux", "x86_64-linux", "aarch64-darwin", "aarch64-linux", "*", "*", "*", "x87_64-linux", "*-linux", "x86_64-*",
			"{x86_64,aarch64}-linux", "riscv64-linux", "web", "a", "foo")
	}
	name := func() string {
		return pick(r, "a", "b", "default", "foo", "web", "*", "*", "*", "*", "defautl", "fooo", "f*", "fo?", "**", "{a,b}", `"a"`, `"a.b"`, "*'", "zzzz", "[", "")
	}
	switch r.IntN(12) {
	case 0:
		return pick(r, "*", ".*a.*", "", ".", "packages", "nixosConfigurations", "check", "^packages.x86_64-linux.a$", "packages.x86_64-linux.a.b",
			"nixosConfigurations.web.config.system.build.toplevel", "nixosConfigurations.web.config.system.build.image", ".#packages.x86_64-linux.a",
			`homeConfigurations."a.b"`, "a.b.c.d", "devShell.x86_64-linux.default", "homeConfigurations.*.activationPackage")
	case 1, 2, 3:
		return first() + "." + name()
	case 4:
		return first() + "." + system()
	case 5:
		return first() + "." + system() + "." + name() + "." + name()
	}
	return first() + "." + system() + "." + name()
}

func randomDraft(r *rand.Rand) draft {
	d := make(draft, 1+r.IntN(3))
	matchers := func() []string {
		if r.IntN(4) == 0 {
			return nil
		}
		out := make([]string, r.IntN(4))
		for i := range out {
			out[i] = randomMatcher(r)
		}
		return out
	}
	for i := range d {
		d[i] = draftSection{include: matchers(), exclude: matchers(), branch: pick(r, "", "", "main", "dev", "rel/*")}
	}
	return d
}

// plainNames are the parts that a name may be.
func (d draft) plainNames() (names []string) {
	for _, s := range d {
		for _, text := range slices.Concat(s.include, s.exclude) {
			for _, part := range strings.Split(text, ".") {
				if part != "" && !strings.ContainsAny(part, "*?{[\"'#^$=") && !slices.Contains(names, part) {
					names = append(names, part)
				}
			}
		}
	}
	return names
}

// randomLock has each of some names with a probability; with 1 it is a flake that has everything.
func randomLock(r *rand.Rand, probability float64, more ...string) *flake.Lock {
	names := func() (out []string) {
		for _, name := range append([]string{"a.b", "fox", "other", "a", "b", "x86_64-linux", "aarch64-linux"}, more...) {
			if r.Float64() < probability {
				out = append(out, name)
			}
		}
		return out
	}
	lock := &flake.Lock{Outputs: map[flake.Family]map[flake.System][]string{}}
	for _, family := range flake.Families() {
		systems := map[flake.System][]string{}
		lock.Outputs[family] = systems
		for _, system := range family.Systems() {
			switch {
			case family.Shape() != flake.Direct:
				systems[system] = names()
			case r.Float64() < probability:
				systems[system] = []string{""}
			}
		}
	}
	return lock
}

// built tells what is built, and on which branches.
func built(c *config.Config, lock *flake.Lock) []string {
	selection, _ := target.Select(c, lock, target.Commit{All: true})
	out := []string{}
	for _, t := range selection.Targets {
		out = append(out, fmt.Sprint(t.Attr, t.AnyBranch, t.Branches))
	}
	return out
}

// selects reports whether the section selects an output of the lock that the text matches.
func selects(s config.Section, text string, lock *flake.Lock) bool {
	m := flake.ParseMatcher(text)
	return slices.ContainsFunc(lock.Paths(), func(p flake.AttrPath) bool {
		_, ok := s.Selects(p)
		return ok && m.Match(p)
	})
}

// TestWhatIsAdvisedKeepsItsPromise follows every hint on random configurations and flakes, and asks the model.
func TestWhatIsAdvisedKeepsItsPromise(t *testing.T) {
	t.Parallel()
	kinds := map[string]int{} // what was tried, so that the test cannot pass by trying nothing
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 0))
		d := randomDraft(r)
		trial := trial{
			draft: d, kinds: kinds,
			full: randomLock(r, 1, d.plainNames()...), some: randomLock(r, 0.3, "default", "foo", "web", "zzzz"),
		}
		if r.IntN(2) == 0 {
			trial.lock = trial.some
		}
		trial.run(t)
		if t.Failed() {
			src, _ := trial.draft.render()
			t.Fatalf("seed %d, lock %v:\n%s", seed, trial.lock, src)
		}
	}
	for kind, n := range kinds {
		assert.Greater(t, n, 100, kind)
	}
	assert.Len(t, kinds, 5)
}

type trial struct {
	draft
	lock       *flake.Lock // what the hints were made with; may be nil
	full, some *flake.Lock
	kinds      map[string]int
}

func (c trial) run(t *testing.T) {
	src, spots := c.render()
	whole, diags := config.Parse("garnix.yaml", src)
	if whole == nil {
		assert.True(t, slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == "matcher-parts" }), "%v", diags)
		c.refused(t, config.Drafted(src), spots)
		return
	}
	locks := []*flake.Lock{c.lock}
	if c.lock == nil {
		locks = []*flake.Lock{c.full, c.some}
	}
	findings := config.Findings(whole.Sections, c.lock)
	judged := map[spot]bool{}
	for _, f := range findings {
		if f.Code == "nothing-built" {
			c.kinds[f.Code]++
			for _, lock := range locks {
				for _, target := range built(whole, lock) {
					assert.Contains(t, target, " false [rel/*]", "on a branch that git does not allow")
				}
			}
		}
		for _, p := range f.Places {
			at := spots[p.Matcher.Pos.Line]
			assert.False(t, judged[at], "one matcher, one finding")
			judged[at] = true
			require.Equal(t, (*c.list(at))[at.index], p.Matcher.String())
			assert.NotContains(t, p.Instead, p.Matcher.String(), "the very same text")
			if len(p.Instead) == 0 {
				c.kinds["removed"]++
				without := parsed(t, c.with(map[spot][]string{at: nil}))
				for _, lock := range locks {
					assert.Equal(t, built(whole, lock), built(without, lock), "%s %s", f, f.Hint)
				}
			} else {
				c.kinds["replaced"]++
				c.replaced(t, at, p.Instead, locks[0])
			}
		}
	}
	for _, at := range spots { // what nobody complains of is of use
		if at.exclude || judged[at] {
			continue
		}
		c.kinds["sound"]++
		text := (*c.list(at))[at.index]
		assert.True(t, selects(whole.Sections[at.section], text, locks[0]), text)
	}
}

// replaced writes texts for an include, each of which has to select something.
func (c trial) replaced(t *testing.T, at spot, texts []string, lock *flake.Lock) {
	fixed := parsed(t, c.with(map[spot][]string{at: texts}))
	for _, text := range texts {
		assert.True(t, selects(fixed.Sections[at.section], text, lock), text)
	}
}

// refused follows all hints at once: garnix takes the file then, and every include that was written selects something.
func (c trial) refused(t *testing.T, findings []config.Finding, spots map[int]spot) {
	changes := map[spot][]string{}
	for _, f := range findings {
		for _, p := range f.Places {
			if f.Code == "matcher-parts" {
				c.kinds["refused"]++
				changes[spots[p.Matcher.Pos.Line]] = p.Instead
			}
		}
	}
	fixed := parsed(t, c.with(changes))
	for at, texts := range changes {
		for _, text := range texts {
			assert.True(t, selects(fixed.Sections[at.section], text, c.full), text)
		}
	}
}

func parsed(t *testing.T, d draft) *config.Config {
	src, _ := d.render()
	c, diags := config.Parse("garnix.yaml", src)
	require.NotNil(t, c, "%v\n%s", diags, src)
	return c
}

// TestWhatSwitchesOffBuildsNothing follows the hints that replace more than a matcher.
func TestWhatSwitchesOffBuildsNothing(t *testing.T) {
	t.Parallel()
	full := randomLock(rand.New(rand.NewPCG(1, 1)), 1)
	tests := []struct{ name, text, hint, followed string }{
		{name: "all excluded from the default", text: "builds: [{branch: main, exclude: ['*']}]", hint: `write "include: []" to build nothing here`, followed: "builds: [{branch: main, include: []}]"},
		{name: "an include that was emptied", text: "builds: [{include: }]", hint: `write "include: []" to build nothing here`, followed: "builds: [{include: []}]"},
		{name: "sections that were emptied", text: "builds:\n", hint: `write "builds: []" to build nothing`, followed: "builds: []"},
		{name: "sections without effect", text: "builds: {include: [hydraJobs.*.*]}", hint: `write "builds: []" if nothing is meant to be built`, followed: "builds: []"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, diags := configParse(tc.text)
			if c != nil {
				diags = diagnostics(config.Findings(c.Sections, nil)).Sorted()
			}
			require.NotEmpty(t, diags)
			assert.Contains(t, diags[0].Hint, tc.hint)
			followed, diags := parse(t, tc.followed)
			assert.Empty(t, diags)
			assert.Empty(t, built(followed, full))
		})
	}
}

func TestASectionThatIsMovedUpCounts(t *testing.T) {
	t.Parallel()
	full := randomLock(rand.New(rand.NewPCG(1, 1)), 1)
	_, diags := parse(t, "builds: {default: {include: [packages.x86_64-linux.a]}}")
	require.Len(t, diags, 1)
	assert.Contains(t, diags[0].Hint, `move include up to where "default" stands`)
	followed, diags := parse(t, "builds: {include: [packages.x86_64-linux.a]}")
	assert.Empty(t, diags)
	assert.Equal(t, []string{"packages.x86_64-linux.a true []"}, built(followed, full))
}

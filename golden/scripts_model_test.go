package golden_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/config"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/target"
)

// scriptModel is a random flake: its text and its lock.
type scriptModel struct {
	text string
	lock *flake.Lock
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

func newScriptModel(r *rand.Rand) scriptModel {
	lock := &flake.Lock{
		Named: map[flake.Family][]string{}, PerSystem: map[flake.Family]map[flake.System][]string{}, Direct: map[flake.Family][]flake.System{},
		Systems: map[string]flake.System{}, Errors: map[string]string{},
	}
	names := func() []string {
		all := []string{"a", "b", "default", "x86_64-linux", "*", "dot.ted", "a b", "packages", "$x", "ä"}
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		return slices.Sorted(slices.Values(all[:r.IntN(8)]))
	}
	var outputs strings.Builder
	set := func(path string, names []string) {
		fmt.Fprintf(&outputs, "    %s = {", path)
		for _, name := range names {
			fmt.Fprintf(&outputs, " %s = throw \"leaf\";", scriptNixString(name))
		}
		outputs.WriteString(" };\n")
	}
	for _, family := range flake.Families() {
		switch family.Shape() {
		case flake.Named:
			switch r.IntN(24) {
			case 0:
			case 1:
				fmt.Fprintf(&outputs, "    %s = throw \"family\";\n", family)
				lock.Errors[string(family)] = "family"
			default:
				lock.Named[family] = names()
				set(string(family), lock.Named[family])
			}
		case flake.PerSystem:
			lock.PerSystem[family] = map[flake.System][]string{}
			for _, system := range append(flake.Systems(), "riscv64-linux") {
				path := string(family) + "." + string(system)
				switch r.IntN(40) {
				case 0, 1, 2, 3, 4, 5:
				case 6:
					fmt.Fprintf(&outputs, "    %s = %s;\n", path, pick(r, `throw "system"`, `"text"`, "null"))
					lock.Errors[path] = "system"
				default:
					lock.PerSystem[family][system] = names()
					set(path, lock.PerSystem[family][system])
				}
			}
		case flake.Direct:
			for _, system := range flake.Systems() {
				switch path := string(family) + "." + string(system); r.IntN(15) {
				case 0:
					fmt.Fprintf(&outputs, "    %s = throw \"direct\";\n", path)
					lock.Errors[path] = "direct"
				case 1, 2, 3, 4, 5:
					fmt.Fprintf(&outputs, "    %s = { };\n", path)
					lock.Direct[family] = append(lock.Direct[family], system)
				}
			}
		}
	}
	return scriptModel{text: scriptFlake(outputs.String()), lock: lock}
}

// scriptSection is a build section as RULES spell it.
type scriptSection struct {
	Branch  *string  `json:"branch"`
	Include []string `json:"include"`
	Exclude []string `json:"exclude"`
}

func newScriptSections(r *rand.Rand) []scriptSection {
	matcher := func() string {
		family := pick(r, "*", "*", "*", "packages", "packages", "checks", "devShell", "defaultPackage", "nixosConfigurations", "homeConfigurations", "apps", "pack*")
		system := pick(r, "*", "*", "*", "x86_64-linux", "x86_64-linux", "aarch64-darwin", "a", "riscv64-linux", "")
		if r.IntN(3) == 0 {
			return family + "." + system
		}
		return family + "." + system + "." + pick(r, "*", "*", "*", "*", "a", "b", "default", "x86_64-linux", "a b", "a*", "")
	}
	sections := []scriptSection{}
	for range 1 + r.IntN(3) {
		s := scriptSection{Include: []string{}, Exclude: []string{}}
		for range 1 + r.IntN(3) {
			s.Include = append(s.Include, matcher())
		}
		for range r.IntN(3) {
			s.Exclude = append(s.Exclude, matcher())
		}
		if branch := pick(r, "", "main", "dev", "none", "none", "none", "none"); branch != "none" {
			s.Branch = &branch
		}
		sections = append(sections, s)
	}
	return sections
}

func TestScriptTargetsNixSelectsWhatTheModelSelects(t *testing.T) {
	t.Parallel()
	const flakes, requests = 6, 6
	for i := range flakes {
		t.Run(fmt.Sprint("flake ", i), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(20, uint64(i)))
			model := newScriptModel(r)
			j := newScriptNixJob(t)
			j.flake(map[string]string{"flake.nix": model.text})
			for range requests {
				sections := newScriptSections(r)
				rules, err := json.Marshal(sections)
				require.NoError(t, err)
				yaml := "builds: " + string(rules) + "\n"
				yaml = strings.ReplaceAll(yaml, `"branch":null,`, "")
				cfg, diags := config.Parse("garnix.yaml", []byte(yaml))
				require.NotNil(t, cfg, "%v", diags)
				branch := pick(r, "", "main", "dev", "other")
				want, diags := target.Select(cfg, model.lock, target.Commit{Branch: branch, Fork: branch == ""})
				got, err := j.selectTargets(rules, branch)
				require.NoError(t, err)
				if diags.HasErrors() {
					assert.NotEmpty(t, got.Errors, "%s on %q must fail as the model does: %v\n%s", yaml, branch, diags, model.text)
					continue
				}
				assert.Empty(t, got.Errors, "%s on %q\n%s", yaml, branch, model.text)
				attrs, selected := []string{}, []string{}
				for _, target := range want.Targets {
					attrs = append(attrs, target.Attr.String())
				}
				for _, target := range got.Targets {
					selected = append(selected, strings.Join(target.Path, "."))
				}
				slices.Sort(selected)
				assert.Equal(t, attrs, selected, "%s on %q\n%s", yaml, branch, model.text)
			}
		})
	}
}

type scriptSelection struct {
	Targets []struct{ Path []string }
	Errors  [][]string
	Dotted  []string
}

// selectTargets asks targets.nix itself, for the flake in the checkout.
func (j *scriptJob) selectTargets(rules []byte, branch string) (scriptSelection, error) {
	request := map[string]any{"sections": json.RawMessage(rules), "branch": nil}
	if branch != "" {
		request["branch"] = branch
	}
	text, err := json.Marshal(request)
	if err != nil {
		return scriptSelection{}, err
	}
	out, err := j.command(j.env, "bash", "-euc", `
ref=$(nix flake metadata --json . | jq -r .url)
nix eval --json --expr "$TARGETS_NIX" select --argstr flake "$ref" --argstr request "$1"`, "bash", string(text)).Output()
	if err != nil {
		return scriptSelection{}, fmt.Errorf("evaluate select: %w", err)
	}
	var s scriptSelection
	return s, json.Unmarshal(out, &s)
}

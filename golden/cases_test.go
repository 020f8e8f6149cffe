package golden_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
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

// The tables in testdata/cases hold what Go and the programs in CI must know alike; ci/test_cases.py runs them too, and
// generator/output that of digests.

func casesOf(t *testing.T, name string, into any) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "cases", name))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, into))
}

func TestCasesOfText(t *testing.T) {
	t.Parallel()
	var table struct {
		Harmful  []rune
		Harmless string
	}
	casesOf(t, "text.json", &table)
	require.NotEmpty(t, table.Harmful)
	printed := func(message string) string {
		var out bytes.Buffer
		require.NoError(t, diag.Text(&out, diag.List{{Severity: diag.Error, Code: "c", Message: message}}, diag.Style{}))
		return strings.TrimSuffix(strings.TrimPrefix(out.String(), "error: "), " [c]\n")
	}
	for _, r := range table.Harmful {
		assert.Len(t, []rune(printed("a"+string(r)+"b")), 3, "%U", r)
		assert.NotContains(t, printed("a"+string(r)+"b"), string(r), "%U", r)
	}
	assert.Equal(t, table.Harmless, printed(table.Harmless))
}

// casesSelection is a flake, and what build sections select of it.
type casesSelection struct {
	Name    string
	Outputs string
	Lock    json.RawMessage
	Cases   []casesSections
}

type casesSections struct {
	Name     string
	Sections json.RawMessage
	Branch   *string // null: none
	Targets  []string
	Dotted   []string
	Fails    []string
}

func TestCasesOfSelection(t *testing.T) {
	t.Parallel()
	var table struct{ Flakes []casesSelection }
	casesOf(t, "selection.json", &table)
	require.NotEmpty(t, table.Flakes)
	for _, f := range table.Flakes {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			lock, diags := flake.DecodeLock("lock.json", f.Lock)
			require.NotNil(t, lock, "%v", diags)
			found := casesAsk(t, strings.ReplaceAll(f.Outputs, "leaf", `(throw "leaf")`), f.Cases)
			for i, c := range f.Cases {
				model, diags := target.Select(casesConfig(t, c), lock, c.commit())
				if len(c.Fails) > 0 {
					assert.True(t, diags.HasErrors(), c.Name)
					assert.Equal(t, c.Fails, found[i].Fails, c.Name)
					continue
				}
				assert.False(t, diags.HasErrors(), "%s: %v", c.Name, diags)
				assert.Equal(t, c.Targets, casesAttrs(model), c.Name)
				assert.Equal(t, c.Targets, found[i].Targets, c.Name)
				assert.ElementsMatch(t, c.Dotted, found[i].Dotted, c.Name)
			}
		})
	}
}

// TestSelectionOfRandomFlakes compares the model with the Nix expression where nobody thought of a case.
func TestSelectionOfRandomFlakes(t *testing.T) {
	t.Parallel()
	const flakes, requests = 6, 6
	for i := range flakes {
		t.Run(fmt.Sprint("flake ", i), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(20, uint64(i)))
			outputs, lock := casesRandomFlake(r)
			var cases []casesSections
			for range requests {
				cases = append(cases, casesRandomSections(r))
			}
			found := casesAsk(t, outputs, cases)
			for i, c := range cases {
				want, diags := target.Select(casesConfig(t, c), lock, c.commit())
				if diags.HasErrors() {
					assert.NotEmpty(t, found[i].Fails, "%s must fail as the model does: %v\n%s", c.Sections, diags, outputs)
					continue
				}
				assert.Empty(t, found[i].Fails, "%s\n%s", c.Sections, outputs)
				assert.Equal(t, casesAttrs(want), found[i].Targets, "%s\n%s", c.Sections, outputs)
			}
		})
	}
}

func (c casesSections) commit() target.Commit {
	if c.Branch == nil {
		return target.Commit{Fork: true}
	}
	return target.Commit{Branch: *c.Branch}
}

func casesConfig(t *testing.T, c casesSections) *config.Config {
	t.Helper()
	cfg, diags := config.Parse("garnix.yaml", fmt.Appendf(nil, "builds: %s\n", c.Sections))
	require.NotNil(t, cfg, "%v", diags)
	return cfg
}

func casesAttrs(selection target.Selection) []string {
	attrs := []string{}
	for _, t := range selection.Targets {
		attrs = append(attrs, t.Attr.String())
	}
	return attrs
}

// casesAsk asks the Nix expression for all cases in one process; what it selects is sorted.
func casesAsk(t *testing.T, outputs string, cases []casesSections) []casesSections {
	t.Helper()
	if _, err := exec.LookPath("nix-instantiate"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("nix-instantiate is needed in CI")
		}
		t.Skip("nix-instantiate is not installed")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "flake.nix"), []byte("{ outputs = { self }: {\n"+outputs+"\n}; }\n"), 0o644))
	expression, err := filepath.Abs("../templates/ci/outputs.nix.txt")
	require.NoError(t, err)
	var requests []map[string]any
	for _, c := range cases {
		requests = append(requests, map[string]any{"sections": c.Sections, "branch": c.Branch})
	}
	text, err := json.Marshal(requests)
	require.NoError(t, err)
	cmd := exec.Command("nix-instantiate", "--eval", "--strict", "--json", "--expr", `{ expression, requests, flake }:
		map (request: (import expression { inherit flake; request = builtins.toJSON request; }).select) (builtins.fromJSON requests)`,
		"--argstr", "expression", expression, "--argstr", "requests", string(text), "--argstr", "flake", "path:"+dir)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "NIX_CONFIG=experimental-features = nix-command flakes\nbuild-users-group =\nsubstituters =\n"}
	var messages bytes.Buffer
	cmd.Stderr = &messages
	out, err := cmd.Output()
	require.NoError(t, err, messages.String())
	var answers [][]struct {
		Query   []string
		State   string
		Targets [][]string
		Dotted  []string
	}
	require.NoError(t, json.Unmarshal(out, &answers))
	found := make([]casesSections, len(cases))
	for i, queries := range answers {
		found[i].Targets = []string{}
		for _, answer := range queries {
			if answer.State == "error" {
				found[i].Fails = append(found[i].Fails, strings.Join(answer.Query, "."))
			}
			for _, path := range answer.Targets {
				found[i].Targets = append(found[i].Targets, strings.Join(path, "."))
			}
			found[i].Dotted = append(found[i].Dotted, answer.Dotted...)
		}
		slices.Sort(found[i].Targets)
	}
	return found
}

// casesNixString escapes text for a string of the Nix language.
var casesNixString = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`)

func casesPick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

// casesRandomFlake is a flake's outputs and its lock.
func casesRandomFlake(r *rand.Rand) (string, *flake.Lock) {
	lock := &flake.Lock{
		Outputs: map[flake.Family]map[flake.System][]string{},
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
			fmt.Fprintf(&outputs, ` "%s" = throw "leaf";`, casesNixString.Replace(name))
		}
		outputs.WriteString(" };\n")
	}
	for _, family := range flake.Families() {
		systems := map[flake.System][]string{}
		lock.Outputs[family] = systems
		switch family.Shape() {
		case flake.Named:
			switch r.IntN(24) {
			case 0:
			case 1:
				fmt.Fprintf(&outputs, "    %s = throw \"family\";\n", family)
				lock.Errors[string(family)] = "family"
			default:
				systems[""] = names()
				set(string(family), systems[""])
			}
		case flake.PerSystem:
			for _, system := range append(flake.Systems(), "riscv64-linux") {
				path := string(family) + "." + string(system)
				switch r.IntN(40) {
				case 0, 1, 2, 3, 4, 5:
				case 6:
					fmt.Fprintf(&outputs, "    %s = %s;\n", path, casesPick(r, `throw "system"`, `"text"`, "null"))
					lock.Errors[path] = "system"
				default:
					systems[system] = names()
					set(path, systems[system])
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
					systems[system] = []string{""}
				}
			}
		}
	}
	return outputs.String(), lock
}

func casesRandomSections(r *rand.Rand) casesSections {
	matcher := func() string {
		family := casesPick(r, "*", "*", "*", "packages", "packages", "checks", "devShell", "defaultPackage", "nixosConfigurations", "homeConfigurations", "apps", "pack*")
		system := casesPick(r, "*", "*", "*", "x86_64-linux", "x86_64-linux", "aarch64-darwin", "a", "riscv64-linux", "")
		if r.IntN(3) == 0 {
			return family + "." + system
		}
		return family + "." + system + "." + casesPick(r, "*", "*", "*", "*", "a", "b", "default", "x86_64-linux", "a b", "a*", "")
	}
	sections := []map[string]any{}
	for range 1 + r.IntN(3) {
		include, exclude := []string{}, []string{}
		for range 1 + r.IntN(3) {
			include = append(include, matcher())
		}
		for range r.IntN(3) {
			exclude = append(exclude, matcher())
		}
		section := map[string]any{"include": include, "exclude": exclude}
		if branch := casesPick(r, "", "main", "dev", "none", "none", "none", "none"); branch != "none" {
			section["branch"] = branch
		}
		sections = append(sections, section)
	}
	text, _ := json.Marshal(sections) // maps of texts have no error
	var c casesSections
	c.Sections = text
	if branch := casesPick(r, "", "main", "dev", "other"); branch != "" {
		c.Branch = &branch
	}
	return c
}

package leftovers

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRequiredCheckCommandsNameTheRepositoryAndTheCheck(t *testing.T) {
	t.Parallel()
	got := RequiredCheckCommands("grove", "orchard", "All Garnix checks")
	assert.Contains(t, got, `gh api repos/grove/orchard --jq .default_branch`)
	assert.Contains(t, got, `--method PATCH repos/grove/orchard"/branches/$branch/protection/required_status_checks"`)
	assert.Contains(t, got, `--method PUT repos/grove/orchard"/rulesets/$id"`)
	assert.Contains(t, got, `"All Garnix checks" as $name`)
	assert.Contains(t, RequiredCheckCommands("", "", "x"), `gh api 'repos/{owner}/{repo}' --jq`)
}

func TestRequiredCheckCommandsSurviveHostileNames(t *testing.T) {
	t.Parallel()
	const name = "it's \"$(id)\" \\(1) \n\x1b[31m \u202e %repo% ${{ x }} `id`"
	got := RequiredCheckCommands("a'; id #", "b/../c", name)
	assert.NotContains(t, got, "\x1b")
	assert.NotContains(t, got, "\u202e")
	assert.Contains(t, got, `repos/a%27%3B%20id%20%23/b%2F..%2Fc`)
	calls := runScript(t, got, `{"checks":[{"context":"All Garnix checks","app_id":null}],"strict":true}`, `{"rules":[]}`)
	require.Len(t, calls, 1)
	assert.JSONEq(t, `{"strict":true,"checks":[{"context":"it's \"$(id)\" \\(1) \n\u001b[31m \u202e %repo% ${{ x }} `+"`id`"+`","app_id":15368}]}`, calls[0])
}

func TestRequiredCheckCommandsMoveGarnixChecksOnly(t *testing.T) {
	t.Parallel()
	const protection = `{"strict":false,"url":"x","checks":[
		{"context":"lint","app_id":15368},
		{"context":"All Garnix checks","app_id":4711},
		{"context":"package hello [x86_64-linux]","app_id":null},
		{"context":"check fmt [aarch64-darwin]","app_id":15368},
		{"context":"action deploy","app_id":4711},
		{"context":"action notify","app_id":12},
		{"context":"nixosConfig web","app_id":null}]}`
	const ruleset = `{"id":7,"name":"main","target":"branch","enforcement":"active","source":"grove/orchard","bypass_actors":null,"conditions":{"ref_name":{"include":["~ALL"]}},
		"rules":[{"type":"deletion"},{"type":"required_status_checks","parameters":{"strict_required_status_checks_policy":true,"required_status_checks":[
		{"context":"All Garnix checks","integration_id":4711},{"context":"lint"}]}}]}`
	calls := runScript(t, RequiredCheckCommands("grove", "orchard", "All Garnix checks"), protection, ruleset)
	require.Len(t, calls, 2)
	assert.JSONEq(t, `{"strict":false,"checks":[{"context":"lint","app_id":15368},{"context":"check fmt [aarch64-darwin]","app_id":15368},
		{"context":"action notify","app_id":12},{"context":"All Garnix checks","app_id":15368}]}`, calls[0])
	assert.JSONEq(t, `{"name":"main","target":"branch","enforcement":"active","conditions":{"ref_name":{"include":["~ALL"]}},
		"rules":[{"type":"deletion"},{"type":"required_status_checks","parameters":{"strict_required_status_checks_policy":true,"required_status_checks":[
		{"context":"lint"},{"context":"All Garnix checks","integration_id":15368}]}}]}`, calls[1])
}

func TestRequiredCheckCommandsLeaveTheRestAlone(t *testing.T) {
	t.Parallel()
	calls := runScript(t, RequiredCheckCommands("grove", "orchard", "All Garnix checks"),
		`{"strict":true,"checks":[{"context":"All Garnix checks","app_id":15368},{"context":"lint","app_id":-1}]}`,
		`{"id":7,"rules":[{"type":"deletion"}]}`)
	assert.Empty(t, calls)
}

func TestRequiredCheckCommandsPassShellcheck(t *testing.T) {
	t.Parallel()
	tool(t, "shellcheck")
	command := exec.Command("shellcheck", "--shell=sh", "--severity=style", "--exclude=SC2016", "-") // jq has $ variables too
	command.Stdin = strings.NewReader(RequiredCheckCommands("", "", "it's"))
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
}

// tool skips the test where a program is missing, except in CI.
func tool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
}

// fakeGH answers as GitHub would, filters with jq, and keeps what is sent.
const fakeGH = `#!/bin/sh
filter=. method=GET path=
shift
while [ $# -gt 0 ]; do
  case $1 in
  --jq) filter=$2; shift ;;
  --method) method=$2; shift ;;
  --input) shift ;;
  *) path=$1 ;;
  esac
  shift
done
case $method:$path in
GET:apps/garnix-ci) echo '{"id":4711}' | jq -r "$filter" ;;
GET:*/rulesets\?*) echo '[{"id":7,"source_type":"Repository"},{"id":8,"source_type":"Organization"}]' | jq -r "$filter" ;;
GET:*/rulesets/7) jq -c "$filter" "$FAKE/ruleset" ;;
GET:*/branches/main/protection/required_status_checks) jq -c "$filter" "$FAKE/protection" ;;
GET:*/rules/branches/main) echo '[]' | jq -r "$filter" ;;
PATCH:* | PUT:*) cat >"$FAKE/sent-$method" ;;
GET:repos/*) echo '{"default_branch":"main"}' | jq -r "$filter" ;;
*) echo "unexpected $method $path" >&2; exit 1 ;;
esac
`

// runScript runs the commands against a stand-in for gh and returns the bodies sent, the protection's first.
func runScript(t *testing.T, script, protection, ruleset string) []string {
	t.Helper()
	tool(t, "jq")
	dir := t.TempDir()
	for name, content := range map[string]string{"gh": fakeGH, "protection": protection, "ruleset": ruleset} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o700))
	}
	command := exec.Command("sh", "-c", script)
	command.Env = append(os.Environ(), "FAKE="+dir, "PATH="+dir+":"+os.Getenv("PATH"))
	out, _ := command.CombinedOutput() // the last test of a list may be false
	for line := range strings.Lines(string(out)) {
		assert.NotRegexp(t, regexp.MustCompile(`error|unexpected|not found`), line)
	}
	var calls []string
	for _, method := range []string{"PATCH", "PUT"} {
		body, err := os.ReadFile(filepath.Join(dir, "sent-"+method))
		if err == nil {
			calls = append(calls, string(body))
		}
	}
	return calls
}

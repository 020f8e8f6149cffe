package golden_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// scriptNix makes a single-user nix that builds without a sandbox and substitutes nothing.
const scriptNix = "experimental-features = nix-command flakes\nbuild-users-group =\nsandbox = false\nsubstituters =\n"

// scriptJob is a job of a workflow as the scripts see one: a checkout, a work folder and an environment.
type scriptJob struct {
	t        testing.TB
	checkout string
	temp     string // RUNNER_TEMP
	bin      string // first on PATH
	root     string // where another system with another nix is installed; "" for this one
	env      map[string]string
}

// scriptEnd is what one step left behind.
type scriptEnd struct {
	code    int
	log     string // standard output and error
	summary string
	outputs map[string]string
}

// scriptTools skips the test where a tool is missing, and fails it in CI.
func scriptTools(t testing.TB, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is needed in CI", tool)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
}

func newScriptJob(t testing.TB) *scriptJob {
	t.Helper()
	scriptTools(t, "bash", "jq", "curl", "git")
	dir := t.TempDir()
	j := &scriptJob{t: t, checkout: filepath.Join(dir, "checkout"), temp: filepath.Join(dir, "temp"), bin: filepath.Join(dir, "bin")}
	home := filepath.Join(dir, "home")
	for _, d := range []string{j.checkout, j.temp, j.bin, home} {
		require.NoError(t, os.Mkdir(d, 0o755))
	}
	j.env = map[string]string{
		"PATH":        j.bin + ":" + os.Getenv("PATH"),
		"HOME":        home,
		"RUNNER_TEMP": j.temp,
		"NIX_CONFIG":  scriptNix,
		"TARGETS_NIX": scriptFile(t, "nix/targets.nix"),
		"LANG":        "C.UTF-8",
	}
	return j
}

// newScriptNixJob is a job for a test that runs nix.
func newScriptNixJob(t testing.TB) *scriptJob {
	t.Helper()
	scriptTools(t, "nix", "nix-store")
	return newScriptJob(t)
}

// next is a fresh job of the same run: another machine with the same checkout and the same tools.
func (j *scriptJob) next() *scriptJob {
	j.t.Helper()
	n := newScriptJob(j.t)
	require.NoError(j.t, os.RemoveAll(n.checkout))
	require.NoError(j.t, os.CopyFS(n.checkout, os.DirFS(j.checkout)))
	require.NoError(j.t, os.RemoveAll(n.bin))
	n.bin = j.bin
	n.root = j.root
	env := maps.Clone(j.env)
	env["HOME"], env["RUNNER_TEMP"] = n.env["HOME"], n.temp
	n.env = env
	return n
}

func scriptFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "templates", name))
	require.NoError(t, err)
	return string(b)
}

// run runs a script as a runner does: its text in a file, an environment of names and values, nothing on standard input.
func (j *scriptJob) run(script string, env ...string) scriptEnd {
	j.t.Helper()
	end, err := j.try(script, env...)
	require.NoError(j.t, err)
	return end
}

func (j *scriptJob) try(script string, env ...string) (scriptEnd, error) {
	dir, err := os.MkdirTemp(j.temp, "step")
	if err != nil {
		return scriptEnd{}, err
	}
	text, err := os.ReadFile(filepath.Join("..", "templates", "scripts", script))
	if err != nil {
		return scriptEnd{}, err
	}
	file, output, summary := filepath.Join(dir, "script.sh"), filepath.Join(dir, "output"), filepath.Join(dir, "summary")
	if err := errors.Join(os.WriteFile(file, text, 0o644), os.WriteFile(output, nil, 0o644), os.WriteFile(summary, nil, 0o644)); err != nil {
		return scriptEnd{}, err
	}
	all := maps.Clone(j.env)
	all["GITHUB_OUTPUT"], all["GITHUB_STEP_SUMMARY"] = output, summary
	for i := 0; i < len(env); i += 2 {
		all[env[i]] = env[i+1]
	}
	cmd := j.command(all, "bash", "-e", file)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return scriptEnd{}, fmt.Errorf("run %s: %w", script, err)
	}
	end := scriptEnd{code: cmd.ProcessState.ExitCode(), log: log.String(), outputs: map[string]string{}}
	written, err := os.ReadFile(summary)
	if err != nil {
		return scriptEnd{}, err
	}
	end.summary = string(written)
	if written, err = os.ReadFile(output); err != nil {
		return scriptEnd{}, err
	}
	for line := range strings.Lines(string(written)) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok {
			return scriptEnd{}, fmt.Errorf("%s wrote an output that is not one line: %q", script, line)
		}
		end.outputs[name] = value
	}
	return end, os.RemoveAll(dir)
}

// path is a file of the work folder.
func (j *scriptJob) path(name string) string { return filepath.Join(j.temp, "garnix2gha", name) }

// put writes a file of the work folder; a value that is no string becomes JSON.
func (j *scriptJob) put(name string, value any) {
	j.t.Helper()
	text, ok := value.(string)
	if !ok {
		b, err := json.Marshal(value)
		require.NoError(j.t, err)
		text = string(b)
	}
	require.NoError(j.t, os.MkdirAll(filepath.Dir(j.path(name)), 0o755))
	require.NoError(j.t, os.WriteFile(j.path(name), []byte(text), 0o644))
}

// scriptGet decodes a JSON file of the work folder.
func scriptGet[T any](j *scriptJob, name string) T {
	j.t.Helper()
	b, err := os.ReadFile(j.path(name))
	require.NoError(j.t, err)
	return scriptJSON[T](j.t, string(b))
}

func scriptJSON[T any](t testing.TB, text string) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal([]byte(text), &v), text)
	return v
}

// tool puts a shell script on PATH.
func (j *scriptJob) tool(name, text string) {
	j.t.Helper()
	require.NoError(j.t, os.WriteFile(filepath.Join(j.bin, name), []byte("#!/bin/bash\n"+text), 0o755))
}

// count wraps nix and nix-store so that every call is a line of the returned file.
func (j *scriptJob) count() string {
	j.t.Helper()
	calls := filepath.Join(j.temp, "calls")
	for _, name := range []string{"nix", "nix-store"} {
		real, err := exec.LookPath(name)
		require.NoError(j.t, err)
		j.tool(name, fmt.Sprintf("printf '%%s\\n' \"%s ${1:-} ${5:-}\" | head -n 1 >>%q\nexec %q \"$@\"\n", name, calls, real))
	}
	return calls
}

// flake commits files, flake.nix among them, to the checkout.
func (j *scriptJob) flake(files map[string]string) {
	j.t.Helper()
	for name, text := range files {
		file := filepath.Join(j.checkout, name)
		require.NoError(j.t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(j.t, os.WriteFile(file, []byte(text), 0o644))
	}
	j.git("init", "-q", "-b", "main", ".")
	j.git("add", "-A")
	j.git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "x")
}

func (j *scriptJob) git(args ...string) {
	j.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = j.checkout
	cmd.Env = []string{"PATH=" + j.env["PATH"], "HOME=" + j.env["HOME"], "GIT_CONFIG_GLOBAL=/dev/null"}
	out, err := cmd.CombinedOutput()
	require.NoError(j.t, err, string(out))
}

// scriptFlake is a flake.nix: d NAME SYSTEM COMMAND makes a derivation that no other test run made.
func scriptFlake(outputs string) string {
	return fmt.Sprintf(`{
  outputs = { self }: let
    n = %q;
    d = name: system: command: derivation { inherit name system n; builder = "/bin/sh"; args = [ "-c" command ]; };
    ok = name: d name "x86_64-linux" "echo ${name} > $out";
  in {
%s
  };
}
`, fmt.Sprint(time.Now().UnixNano()), outputs)
}

// scriptNixString quotes text as a Nix string.
func scriptNixString(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(text) + `"`
}

// scriptExec runs a tool in the job's environment.
func scriptExec(j *scriptJob, name string, args ...string) error {
	if out, err := j.command(j.env, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("run %s: %w: %s", name, err, out)
	}
	return nil
}

// command is a process in the checkout with this environment and no other.
func (j *scriptJob) command(env map[string]string, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	if j.root != "" {
		// The other system sees the temporary folders under their own names.
		const enter = `mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && mkdir -p "$1$2" && mount --rbind "$2" "$1$2" && cd "$1" &&
root=$1 dir=$3 && shift 3 && exec chroot "$root" env --chdir="$dir" "$@"`
		cmd = exec.Command("unshare", append([]string{"--mount", "--fork", "sh", "-euc", enter, "sh", j.root, os.TempDir(), j.checkout, name}, args...)...)
	}
	cmd.Dir = j.checkout
	for _, variable := range slices.Sorted(maps.Keys(env)) {
		cmd.Env = append(cmd.Env, variable+"="+env[variable])
	}
	return cmd
}

package golden_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"garnix2gha/generator"
	"garnix2gha/templates"
)

// The repository that scenarios pretend to be, and the one that forks of it are.
const (
	executedRepository = "owner/project"
	executedStranger   = "stranger/project"
	executedPull       = 7 // number of the pull request
)

// executedScenario is the state of one script: a repository, a cache, and what the last run did.
type executedScenario struct {
	repo    string // the repository's work tree
	scratch string
	tool    string // act
	cache   *actCache
	secrets map[string]string
	env     map[string]string // for act and every step
	slots   chan struct{}

	event  actEvent
	branch *string // of the last run; nil for none
	last   *actRun
	pushed map[string]bool // narinfo in the cache before the last run
	built  int             // size of the builders' log before the last run

	asked    int      // narinfo that the last run asked for
	statuses []string // that it posted
}

// newExecutedScenario prepares tools and placeholders around the files that a script brought.
func newExecutedScenario(t testing.TB, repo, tool string, slots chan struct{}) (*executedScenario, error) {
	standins, err := filepath.Abs("testdata/standins")
	if err != nil {
		return nil, err
	}
	s := &executedScenario{
		repo: repo, scratch: t.TempDir(), tool: tool, cache: executedCache(t), slots: slots,
		secrets: map[string]string{"CACHIX_AUTH_TOKEN": "cachix-" + executedNonce(), "GITHUB_TOKEN": "github-" + executedNonce()},
	}
	s.cache.password = s.secrets["CACHIX_AUTH_TOKEN"]
	for _, dir := range []string{"home", "tmp", "artifacts", "steps", "tools", "client"} {
		if err := os.MkdirAll(filepath.Join(s.scratch, dir), 0o755); err != nil {
			return nil, err
		}
	}
	if err := s.wrap(standins); err != nil {
		return nil, err
	}
	s.env = map[string]string{
		"HOME":              filepath.Join(s.scratch, "home"),
		"TMPDIR":            filepath.Join(s.scratch, "tmp"),
		"PATH":              filepath.Join(s.scratch, "tools") + ":" + os.Getenv("PATH"),
		"LANG":              "C.UTF-8",
		"PUSH_PAUSE":        "0",
		"POLL_SECONDS":      "1",
		"STANDIN_CANARY":    s.canary(),
		"STANDIN_ACTIONS":   filepath.Join(standins, "actions"),
		"STANDIN_ARTIFACTS": filepath.Join(s.scratch, "artifacts"),
		"STANDIN_CLIENT":    filepath.Join(s.scratch, "client"),
		"STANDIN_NIX_CONF":  filepath.Join(s.scratch, "nix.conf"),
		"STANDIN_ORIGIN":    repo,
		"STANDIN_STEPS":     filepath.Join(s.scratch, "steps"),
	}
	return s, s.fill(standins)
}

func executedNonce() string {
	random := make([]byte, 12)
	_, _ = rand.Read(random) // never fails
	return hex.EncodeToString(random)
}

// wrap puts wrappers on the path: the shell leaves a record of every script and its environment, nix of every call, and
// the client learns from a file that no step sees which token is right and how to fail.
func (s *executedScenario) wrap(standins string) error {
	bash, err := exec.LookPath("bash")
	if err != nil {
		return err
	}
	nix, err := exec.LookPath("nix")
	if err != nil {
		return err
	}
	config := filepath.Join(s.scratch, "client.env")
	wrappers := map[string]string{
		"tools/bash": fmt.Sprintf(`for script; do :; done
if [ "$#" -ge 2 ] && [ -f "$script" ] && [ "${script%%/act/workflow/*.sh}" != "$script" ]; then
  record=$(mktemp "$STANDIN_STEPS/XXXXXXXX")
  env -0 >"$record.env"
  cp -- "$script" "$record.script"
  rm -- "$record"
fi
exec %s "$@"`, bash),
		"tools/nix":     fmt.Sprintf("echo \"$1\" >>%s\nexec %s \"$@\"", filepath.Join(s.scratch, "nix.calls"), nix),
		"client/cachix": fmt.Sprintf("set -a\n. %s\nset +a\nexec %s %s \"$@\"", config, bash, filepath.Join(standins, "cachix")),
	}
	for name, text := range wrappers {
		if err := os.WriteFile(filepath.Join(s.scratch, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			return err
		}
	}
	return s.client("")
}

// client tells the stand-in client how to fail; "" for not at all.
func (s *executedScenario) client(fault string) error {
	text := fmt.Sprintf("STANDIN_CACHE_URL=%s\nSTANDIN_CACHE_NAME=ours\nSTANDIN_CACHIX_TOKEN=%s\nSTANDIN_CACHIX_LOG=%s\n",
		s.cache.URL, s.secrets["CACHIX_AUTH_TOKEN"], filepath.Join(s.scratch, "client.log"))
	if fault != "" {
		text += "STANDIN_CACHIX_FAIL=" + fault + "\n"
	}
	return os.WriteFile(filepath.Join(s.scratch, "client.env"), []byte(text), 0o600)
}

// fill replaces the placeholders of the script's files and adds the ones every repository has.
func (s *executedScenario) fill(standins string) error {
	replacer := strings.NewReplacer(
		"@CACHE@", s.cache.URL,
		"@CANARY@", s.canary(),
		"@NONCE@", executedNonce(),
		"@PATH@", "/usr/local/bin:/usr/bin:/bin",
		"@BUILT@", s.builtLog(),
		"@PEEKED@", filepath.Join(s.scratch, "peeked"),
	)
	recipe, err := os.ReadFile(filepath.Join(standins, "build.nix"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.repo, "build.nix"), recipe, 0o644); err != nil {
		return err
	}
	const conf = `build-users-group =
sandbox = false
substituters =
require-sigs = false
extra-platforms = aarch64-darwin x86_64-darwin aarch64-linux i686-linux
`
	if err := os.WriteFile(s.env["STANDIN_NIX_CONF"], []byte(conf), 0o644); err != nil {
		return err
	}
	return filepath.WalkDir(s.repo, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(name, []byte(replacer.Replace(string(content))), 0o644)
	})
}

// canary is a file that only injected code makes.
func (s *executedScenario) canary() string { return filepath.Join(s.scratch, "canary") }

func (s *executedScenario) builtLog() string { return filepath.Join(s.scratch, "built") }

// generate renders the workflows as "garnix2gha generate" does.
func (s *executedScenario) generate() error {
	in := generator.Input{
		Config:    generator.Source{Path: "garnix.yaml"},
		Settings:  generator.Source{Path: ".github/garnix2gha/config.yaml"},
		Lock:      generator.Source{Path: ".github/garnix2gha/lock.json"},
		Overlay:   generator.Source{Path: ".github/garnix2gha/overlay.libsonnet"},
		Templates: templates.FS,
	}
	for _, source := range []*generator.Source{&in.Config, &in.Settings, &in.Lock, &in.Overlay} {
		content, err := os.ReadFile(filepath.Join(s.repo, source.Path))
		if err == nil {
			source.Content = content
		} else if !os.IsNotExist(err) {
			return err
		}
	}
	result, err := generator.Generate(in)
	if err != nil {
		return err
	}
	if result.Diags.HasErrors() {
		return fmt.Errorf("%s", result.Diags[0])
	}
	if err := os.RemoveAll(filepath.Join(s.repo, ".github/workflows")); err != nil {
		return err
	}
	for _, file := range result.Files {
		name := filepath.Join(s.repo, file.Path)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, file.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// git runs git in the repository and returns what it prints.
func (s *executedScenario) git(args ...string) (string, error) {
	command := exec.Command("git", append([]string{"-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"}, args...)...)
	command.Dir = s.repo
	command.Env = []string{"HOME=" + s.env["HOME"], "PATH=" + os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1"}
	out, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// commit commits the work tree.
func (s *executedScenario) commit() error {
	if _, err := os.Stat(filepath.Join(s.repo, ".git")); err != nil {
		if _, err := s.git("init", "--quiet", "--initial-branch=main", "."); err != nil {
			return err
		}
		// testscript keeps its own files here.
		if err := os.WriteFile(filepath.Join(s.repo, ".git/info/exclude"), []byte("/.tmp\n"), 0o644); err != nil {
			return err
		}
	}
	if _, err := s.git("add", "--all"); err != nil {
		return err
	}
	_, err := s.git("commit", "--quiet", "--allow-empty", "--message=change")
	return err
}

// newEvent describes what GitHub says of an event, on a branch whose head is the last commit.
func (s *executedScenario) newEvent(kind, branch string, options map[string]string) (actEvent, error) {
	head, err := s.git("rev-parse", "HEAD")
	if err != nil {
		return actEvent{}, err
	}
	fork, err := strconv.ParseBool(options["fork-repo"])
	if err != nil && options["fork-repo"] != "" {
		return actEvent{}, err
	}
	ref, sha := "refs/heads/"+branch, head
	payload := map[string]any{"repository": map[string]any{"full_name": executedRepository, "fork": fork, "default_branch": "main"}}
	name := map[string]string{"push": "push", "fork": "pull_request", "pull": "pull_request", "queue": "merge_group",
		"dispatch": "workflow_dispatch", "schedule": "schedule"}[kind]
	s.branch = &branch
	switch kind {
	case "push":
		payload["ref"], payload["after"] = ref, head
	case "dispatch":
		payload["ref"], payload["inputs"] = ref, map[string]any{"wait-minutes": options["wait-minutes"]}
	case "fork", "pull":
		from := map[string]string{"fork": executedStranger, "pull": executedRepository}[kind]
		payload["number"] = executedPull
		payload["pull_request"] = map[string]any{"number": executedPull, "base": map[string]any{"ref": "main"},
			"head": map[string]any{"ref": branch, "sha": head, "repo": map[string]any{"full_name": from}}}
		if sha, err = s.mergeCommit(head); err != nil {
			return actEvent{}, err
		}
		ref = fmt.Sprintf("refs/pull/%d/merge", executedPull)
		if kind == "fork" {
			s.branch = nil
		}
	case "queue":
		payload["merge_group"] = map[string]any{"head_ref": ref, "head_sha": head, "base_ref": "refs/heads/main"}
	case "schedule":
		payload["schedule"] = "23 4 * * *"
	default:
		return actEvent{}, fmt.Errorf("the event %s is not known", kind)
	}
	actor := options["actor"]
	if actor == "" {
		actor = "maintainer"
	}
	return actEvent{name: name, payload: payload, actor: actor, env: map[string]string{
		"GITHUB_REPOSITORY": executedRepository, "GITHUB_RUN_ID": "42", "GITHUB_API_URL": s.cache.URL + "/api",
		"GITHUB_REF": ref, "GITHUB_SHA": sha, "GITHUB_REF_TYPE": "branch",
		"GITHUB_REF_NAME": strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/pull/"),
	}}, nil
}

// mergeCommit makes the merge that GitHub would check out for a pull request; it is empty, so that building it fails.
func (s *executedScenario) mergeCommit(head string) (string, error) {
	tree, err := s.git("hash-object", "-t", "tree", "-w", os.DevNull)
	if err != nil {
		return "", err
	}
	merge, err := s.git("commit-tree", "-p", head, "-m", "merge", tree)
	if err != nil {
		return "", err
	}
	_, err = s.git("update-ref", fmt.Sprintf("refs/pull/%d/merge", executedPull), merge)
	return merge, err
}

// withoutMatrix copies a workflow without the build job's strategy.
func (s *executedScenario) withoutMatrix(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var workflow map[string]any
	if err := yaml.Unmarshal(data, &workflow); err != nil {
		return "", err
	}
	delete(workflow["jobs"].(map[string]any)["build"].(map[string]any), "strategy")
	if data, err = yaml.Marshal(workflow); err != nil {
		return "", err
	}
	reduced := filepath.Join(s.scratch, filepath.Base(file))
	return reduced, os.WriteFile(reduced, data, 0o644)
}

func TestExecutedNonceIsNew(t *testing.T) {
	t.Parallel()
	require.NotEqual(t, executedNonce(), executedNonce())
}

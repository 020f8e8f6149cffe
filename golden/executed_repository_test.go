package golden_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

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
func (s *executedScenario) git(args ...string) (string, error) { return s.gitWith("", args...) }

// gitWith is git with something on standard input.
func (s *executedScenario) gitWith(input string, args ...string) (string, error) {
	command := exec.Command("git", append([]string{"-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"}, args...)...)
	command.Dir, command.Stdin = s.repo, strings.NewReader(input)
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
	if _, err := s.git("symbolic-ref", "HEAD", "refs/heads/main"); err != nil {
		return err
	}
	if _, err := s.git("add", "--all"); err != nil {
		return err
	}
	_, err := s.git("commit", "--quiet", "--allow-empty", "--message=change")
	return err
}

// newEvent describes what GitHub says of an event, on a branch whose head is the last commit.
func (s *executedScenario) newEvent(kind, branch string, options map[string]string) (actEvent, error) {
	if _, err := s.git("symbolic-ref", "HEAD", "refs/heads/main"); err != nil {
		return actEvent{}, err
	}
	head, err := s.git("rev-parse", "HEAD")
	if err != nil {
		return actEvent{}, err
	}
	fork, err := strconv.ParseBool(options["fork-repo"])
	if err != nil && options["fork-repo"] != "" {
		return actEvent{}, err
	}
	ref, sha := "refs/heads/"+branch, head
	actor := options["actor"]
	if actor == "" {
		actor = "maintainer"
	}
	payload := map[string]any{
		"repository": map[string]any{"full_name": executedRepository, "fork": fork, "default_branch": "main"},
		"sender":     map[string]any{"login": actor},
	}
	name := map[string]string{"push": "push", "fork": "pull_request", "deleted": "pull_request", "pull": "pull_request", "bot": "pull_request",
		"queue": "merge_group", "dispatch": "workflow_dispatch", "schedule": "schedule"}[kind]
	s.branch = &branch
	switch kind {
	case "push":
		payload["ref"], payload["after"] = ref, head
	case "dispatch":
		payload["ref"], payload["inputs"] = ref, map[string]any{"wait-minutes": options["wait-minutes"]}
	case "fork", "deleted", "pull", "bot":
		if options["head"] != "" {
			if head, err = s.git("rev-parse", options["head"]); err != nil {
				return actEvent{}, err
			}
		}
		from := map[string]any{"fork": map[string]any{"full_name": executedStranger}, "deleted": nil,
			"pull": map[string]any{"full_name": executedRepository}, "bot": map[string]any{"full_name": executedRepository}}[kind]
		author := map[string]string{"bot": "github-actions[bot]"}[kind]
		payload["number"] = executedPull
		payload["pull_request"] = map[string]any{"number": executedPull, "base": map[string]any{"ref": "main"},
			"user": map[string]any{"login": author}, "head": map[string]any{"ref": branch, "sha": head, "repo": from}}
		if sha, err = s.mergeCommit(); err != nil {
			return actEvent{}, err
		}
		ref = fmt.Sprintf("refs/pull/%d/merge", executedPull)
		if kind == "fork" || kind == "deleted" {
			s.branch = nil
		}
		// act takes github.sha from HEAD.
		if _, err = s.git("symbolic-ref", "HEAD", ref); err != nil {
			return actEvent{}, err
		}
	case "queue":
		payload["merge_group"] = map[string]any{"head_ref": ref, "head_sha": head, "base_ref": "refs/heads/main"}
	case "schedule":
		payload["schedule"] = "23 4 * * *"
	default:
		return actEvent{}, fmt.Errorf("the event %s is not known", kind)
	}
	return actEvent{name: name, payload: payload, actor: actor, env: map[string]string{
		"GITHUB_REPOSITORY": executedRepository, "GITHUB_RUN_ID": "42", "GITHUB_API_URL": s.cache.URL + "/api",
		"GITHUB_REF": ref, "GITHUB_SHA": sha, "GITHUB_REF_TYPE": "branch",
		"GITHUB_REF_NAME": strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/pull/"),
	}}, nil
}

// mergeCommit makes what GitHub would check out for a pull request. It has what main has but for the flake, so that
// building it fails, and no parent but main, so that the head is not in it: GitHub's may lag behind.
func (s *executedScenario) mergeCommit() (string, error) {
	listing, err := s.git("ls-tree", "main")
	if err != nil {
		return "", err
	}
	var kept strings.Builder
	for line := range strings.Lines(listing + "\n") {
		if !strings.HasSuffix(line, "\tflake.nix\n") {
			kept.WriteString(line)
		}
	}
	tree, err := s.gitWith(kept.String(), "mktree")
	if err != nil {
		return "", err
	}
	merge, err := s.git("commit-tree", "-p", "main", "-m", "merge", tree)
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

package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readmeCommands are the command lines of this program in the README, in their order: those in blocks, those within the
// text, and a flag alone, which is one more for the command before it.
func readmeCommands(t *testing.T) []string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	var commands []string
	for _, m := range regexp.MustCompile("(?s)```\\w*\n(.*?)\n```|`([^`]+)`").FindAllStringSubmatch(string(readme), -1) {
		for line := range strings.Lines(m[1]) {
			if strings.HasPrefix(line, "garnix2gha ") {
				commands = append(commands, strings.TrimSpace(line))
			}
		}
		switch code := strings.Join(strings.Fields(m[2]), " "); {
		case code == "garnix2gha", strings.HasPrefix(code, "garnix2gha "):
			commands = append(commands, code)
		case strings.HasPrefix(code, "--"):
			require.NotEmpty(t, commands, code)
			commands = append(commands, commands[len(commands)-1]+" "+code)
		}
	}
	require.Greater(t, len(commands), 20)
	return commands
}

// parsed is the command that a line means. The line must be one that the program takes.
func parsed(t *testing.T, line string) *cobra.Command {
	t.Helper()
	requireTool(t, "sh")
	own := regexp.MustCompile(`garnix2gha [^|>]*`).FindString(line)
	require.NotEmpty(t, own, line)
	out, err := exec.Command("sh", "-c", `garnix2gha() { printf '%s\0' "$@"; }; `+own).Output()
	require.NoError(t, err, line)
	command, rest, err := newRoot(&options{}).Find(strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"))
	require.NoError(t, err, line)
	require.NoError(t, command.ParseFlags(rest), line)
	require.NoError(t, command.ValidateArgs(command.Flags().Args()), line)
	return command
}

func TestReadmeNamesCommandsThatExist(t *testing.T) {
	t.Parallel()
	for _, line := range readmeCommands(t) {
		if line != "garnix2gha" {
			assert.True(t, parsed(t, line).HasParent(), line)
		}
	}
}

// TestReadmeCommandsWork runs the README's command lines in their order. The script tells only what happens in between:
// a command that it does not expect next, or leaves out, fails the test. Nix and git are real; Cachix, GitHub and the
// binary cache are servers of this test.
func TestReadmeCommandsWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.github.rulesets = []map[string]any{{
		"id": 1, "name": "main", "target": "branch", "enforcement": "active", "source_type": "Repository", "source": "octo/flake",
		"rules": []any{map[string]any{"type": "required_status_checks", "parameters": map[string]any{
			"required_status_checks": []any{map[string]any{"context": "All Garnix checks", "integration_id": 4711}},
		}}},
	}}
	var opened struct{ Title, Body, HeadRefName, BaseRefName string } // the pull request
	w.github.override["POST /graphql"] = func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		if bytes.Contains(body, []byte("ranchProtectionRule")) {
			r.Body = io.NopCloser(bytes.NewReader(body))
			w.github.answer(rw, r)
			return
		}
		if bytes.Contains(body, []byte("PullRequestCreate")) {
			var sent struct{ Variables struct{ Input any } }
			sent.Variables.Input = &opened
			assert.NoError(t, json.Unmarshal(body, &sent))
		}
		main := map[string]any{"name": "main"}
		reply(rw, 200, map[string]any{"data": map[string]any{
			"viewer": map[string]any{"login": "octo"},
			"repository": map[string]any{
				"id": "R_1", "name": "flake", "owner": map[string]any{"login": "octo"}, "viewerPermission": "ADMIN", "defaultBranchRef": main,
				"pullRequests": map[string]any{"nodes": []any{}},
			},
			"createPullRequest": map[string]any{"pullRequest": map[string]any{"id": "PR_1", "url": "https://github.localhost/octo/flake/pull/1"}},
		}})
	}
	left := readmeCommands(t)
	t.Cleanup(func() {
		if !t.Failed() {
			assert.Empty(t, left, "commands of the README that testdata/readme.txtar does not run")
		}
	})

	testscript.Run(t, testscript.Params{
		Files:               []string{"testdata/readme.txtar"},
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			w.setenv(t, env)
			env.Setenv("GH_TOKEN", githubToken)
			env.Setenv("PATH", env.WorkDir+"/bin:"+os.Getenv("PATH"))
			return os.CopyFS(env.WorkDir+"/repo", os.DirFS("../../golden/example"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// readme COMMAND runs the next command of the README, which must begin so; NAME is the cache.
			"readme": func(ts *testscript.TestScript, fails bool, args []string) {
				if len(left) == 0 {
					ts.Fatalf("the README has no more commands")
				}
				next := left[0]
				left = left[1:]
				if !strings.HasPrefix(next, strings.Join(args, " ")) {
					ts.Fatalf("the README's next command is %s", next)
				}
				if err := ts.Exec("sh", "-c", strings.ReplaceAll(next, "NAME", worldCache)); err != nil != fails {
					ts.Fatalf("%s: %v", next, err)
				}
			},
			// build does what CI would: whatever the cache lacks is in it afterwards.
			"build": func(ts *testscript.TestScript, _ bool, _ []string) {
				_ = ts.Exec("garnix2gha", "cache", "verify", "--format", "json") // exits 1: it is missing
				var found struct{ Results []struct{ Path string } }
				ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &found))
				for _, output := range found.Results {
					ts.Check(publish(w.store, output.Path, w.secret))
				}
			},
			// opened TITLE is what the pull request at GitHub must be, with the report as its text.
			"opened": func(ts *testscript.TestScript, _ bool, args []string) {
				w.github.hand()
				if opened.Title != args[0] || opened.BaseRefName != "main" || !strings.HasPrefix(opened.Body, "# From garnix to GitHub Actions\n") {
					ts.Fatalf("the pull request is %+v", opened)
				}
			},
		},
	})
}

// publish writes a signed narinfo, which is all that is ever asked for.
func publish(store, path, secret string) error {
	name, key, _ := strings.Cut(secret, ":")
	hidden, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return err
	}
	hash := "sha256:" + strings.Repeat("0", 52)
	signature := ed25519.Sign(hidden, fmt.Appendf(nil, "1;%s;%s;120;", path, hash))
	text := fmt.Sprintf("StorePath: %s\nURL: nar/x.nar.xz\nCompression: xz\nFileHash: %s\nFileSize: 99\nNarHash: %s\nNarSize: 120\nReferences: \nSig: %s:%s\n",
		path, hash, hash, name, base64.StdEncoding.EncodeToString(signature))
	base, _, _ := strings.Cut(filepath.Base(path), "-")
	return os.WriteFile(filepath.Join(store, base+".narinfo"), []byte(text), 0o600)
}

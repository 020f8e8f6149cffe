package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/github"
)

// syncWorld is Cachix, GitHub and the environment that leads to both.
func syncWorld(t *testing.T) (*cachixStandIn, *githubStandIn, map[string]string) {
	t.Helper()
	service, hub := newCachix(t, newSubstituter(t, "").URL), newGitHub(t)
	env := service.env("")
	env["GITHUB_API_URL"], env["GH_TOKEN"] = hub.URL, githubToken
	env["PUSH"], env["WIDE"] = pushToken, accountToken
	return service, hub, env
}

func TestSyncShowsFirstAndAppliesWhenTold(t *testing.T) {
	t.Parallel()
	_, hub, env := syncWorld(t)
	dir := folder(t, map[string]string{settingsFile: "cache: {name: acme}\n"})
	args := []string{"-C", dir, "secrets", "sync", "--repo", "octo/flake", "--token", "env:PUSH"}
	world := invocation{env: env}

	shown := world.run(t, args...)
	assert.Equal(t, exitFine, shown.code, shown.stderr)
	assert.Equal(t, "secret    CACHIX_AUTH_TOKEN  create  octo/flake  \nvariable  CACHIX_CACHE_NAME  create  octo/flake  \n", shown.stdout)
	assert.Contains(t, shown.stderr, "nothing was changed")
	assert.Empty(t, hub.secrets)

	applied := world.run(t, append(args, "--apply")...)
	assert.Equal(t, exitFine, applied.code, applied.stderr)
	assert.Contains(t, applied.stderr, "2 of 2 changes made")
	assert.Equal(t, map[string]string{"actions/CACHIX_AUTH_TOKEN": pushToken}, hub.secrets)
	assert.Equal(t, map[string]string{"actions/CACHIX_CACHE_NAME": "acme"}, hub.variables)

	hub.variables["actions/CACHIX_CACHE_NAME"] = "old"
	again := decoded[syncJSON](t, world.run(t, append(args, "--format", "json")...))
	require.Len(t, again.Changes, 2)
	assert.Equal(t, github.Unknown, again.Changes[0].Action)
	assert.Equal(t, github.Update, again.Changes[1].Action)
	assert.Empty(t, again.Applied)
	assert.Equal(t, "octo/flake", again.Repository)
}

func TestSyncReachesAnEnvironmentAndEveryKindOfSecret(t *testing.T) {
	t.Parallel()
	_, hub, env := syncWorld(t)
	env["KEY"] = "s3cret-age"
	dir := folder(t, map[string]string{
		settingsFile:  "cache: {name: acme, token-secret: PUSH_TOKEN, signing-key-secret: SIGNING}\n",
		"garnix.yaml": "actions:\n  - {on: push, run: deploy-web}\n  - {on: push, run: deploy_web}\n",
		"signing":     "s3cret-signing\n",
	})
	got := invocation{env: env, stdin: pushToken + "\n"}.run(t, "-C", dir, "secrets", "sync", "--repo", "octo/flake", "--environment", "production",
		"--token", "stdin", "--signing-key", "file:"+filepath.Join(dir, "signing"), "--action-key", "deploy_web=env:KEY", "--apply")
	require.Equal(t, exitFine, got.code, "%s%s", got.stdout, got.stderr)
	assert.Equal(t, map[string]string{
		"environments/production/PUSH_TOKEN": pushToken, "environments/production/SIGNING": "s3cret-signing",
		"environments/production/GARNIX_ACTION_KEY_DEPLOY_WEB_2": "s3cret-age",
	}, hub.secrets, "an action's secret has the name that its workflow asks for")
	assert.Equal(t, map[string]string{"environments/production/CACHIX_CACHE_NAME": "acme"}, hub.variables)
}

func TestSyncTakesACommandsOutput(t *testing.T) {
	t.Parallel()
	_, hub, env := syncWorld(t)
	dir := folder(t, map[string]string{settingsFile: "cache: {name: acme}\n", "my token": pushToken + "\n"})
	args := []string{"-C", dir, "secrets", "sync", "--repo", "octo/flake", "--apply", "--token"}
	got := invocation{env: env}.run(t, append(args, "command:cat '"+dir+"/my token'")...)
	require.Equal(t, exitFine, got.code, got.stderr)
	assert.Equal(t, pushToken, hub.secrets["actions/CACHIX_AUTH_TOKEN"])

	piped := invocation{env: env}.run(t, append(args, "command:cat '"+dir+"/my token' | head")...)
	assert.Equal(t, exitUsage, piped.code)
	assert.Contains(t, piped.stderr, "no shell runs it")
}

func TestSyncJudgesTheToken(t *testing.T) {
	t.Parallel()
	const named, unnamed = "cache: {name: acme}\n", ""
	for _, tc := range []struct {
		name, settings, token string
		args                  []string
		down                  bool
		code                  int
		says                  string
	}{
		{name: "an account-wide token is refused", settings: named, token: accountToken, code: exitProblems, says: "refused to store the token"},
		{name: "also where no cache is known", settings: unnamed, token: accountToken, code: exitProblems, says: "refused to store the token"},
		{name: "unless told otherwise", settings: named, token: accountToken, args: []string{"--allow-account-wide"}, code: exitFine, says: "because of --allow-account-wide"},
		{name: "one that only reads is warned of", settings: named, token: readToken, code: exitFine, says: "warning: the token may not be right for CI: the token cannot push to acme"},
		{name: "a good one needs no words", settings: named, token: pushToken, code: exitFine},
		{name: "a good one without a known cache neither", settings: unnamed, token: pushToken, code: exitFine},
		{name: "without an answer the user is warned", settings: named, token: pushToken, down: true, code: exitFine, says: "warning: the token may not be right for CI: what the token can do could not be established"},
		{name: "without an answer and a cache also", settings: unnamed, token: pushToken, down: true, code: exitFine, says: "warning: whether the token is account-wide could not be established"},
		{name: "another backend's token is not Cachix's to judge", settings: "cache: {backend: attic, server: 'https://a.example', url: 'https://a.example/b'}\n", token: accountToken, code: exitFine},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, hub, env := syncWorld(t)
			env["TOKEN"] = tc.token
			if tc.down {
				env[apiVariable] = refused(t) + "/api/v1"
			}
			dir := folder(t, map[string]string{settingsFile: tc.settings})
			args := append([]string{"-C", dir, "secrets", "sync", "--repo", "octo/flake", "--token", "env:TOKEN", "--apply"}, tc.args...)
			got := invocation{env: env}.run(t, args...)
			assert.Equal(t, tc.code, got.code, "%s%s", got.stdout, got.stderr)
			if tc.says == "" {
				assert.NotContains(t, got.stderr, "warning")
			}
			assert.Contains(t, got.stderr, tc.says)
			assert.Equal(t, tc.code == exitFine, len(hub.secrets) == 1, "stored or not")
		})
	}
}

func TestSyncRefusesWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	_, hub, env := syncWorld(t)
	attic := "cache: {backend: attic, server: 'https://a.example', url: 'https://a.example/b'}\n"
	for _, tc := range []struct {
		name, settings string
		args           []string
		code           int
		says           string
	}{
		{name: "nothing", code: exitUsage, says: "nothing to do"},
		{name: "a token in the place of its source", args: []string{"--token", pushToken}, code: exitUsage, says: "unknown source"},
		{name: "a token in the place of a name", args: []string{"--cache-name", pushToken}, code: exitUsage, says: "everyone can read a variable"},
		{name: "another token in the place of a name", args: []string{"--cache-name", githubToken}, code: exitUsage, says: "no name of a Cachix cache"},
		{name: "an argument", args: []string{"acme"}, code: exitUsage, says: "unexpected argument"},
		{name: "a repository that is none", args: []string{"--cache-name", "acme", "--repo", "octo"}, code: exitUsage, says: "OWNER/NAME"},
		{name: "no repository", args: []string{"--cache-name", "acme"}, code: exitUsage, says: "--repo"},
		{name: "standard input twice", settings: "cache: {signing-key-secret: S}\n", args: []string{"--token", "-", "--signing-key", "stdin"}, code: exitUsage, says: "is read for --token already"},
		{name: "one secret twice", settings: "cache: {signing-key-secret: CACHIX_AUTH_TOKEN}\n", args: []string{"--token", "env:A", "--signing-key", "env:B"}, code: exitUsage, says: "another source of the secret CACHIX_AUTH_TOKEN"},
		{name: "a signing key that nothing uses", args: []string{"--signing-key", "env:PUSH"}, code: exitUsage, says: "cache.signing-key-secret"},
		{name: "a cache name for another backend", settings: attic, args: []string{"--cache-name", "acme"}, code: exitUsage, says: "another backend"},
		{name: "an action that is none", args: []string{"--action-key", "deploy=env:PUSH"}, code: exitUsage, says: "no action of that name"},
		{name: "an action without a source", args: []string{"--action-key", pushToken}, code: exitUsage, says: "want ACTION=SOURCE"},
		{name: "a variable that is not set", args: []string{"--repo", "octo/flake", "--token", "env:NOT_THERE"}, code: exitFailure, says: "not set"},
		{name: "settings with errors", settings: "nonsense: 1\n", args: []string{"--token", "env:PUSH"}, code: exitProblems, says: "unknown key"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, map[string]string{settingsFile: tc.settings})
			got := invocation{env: env}.run(t, append([]string{"-C", dir, "secrets", "sync"}, tc.args...)...)
			assert.Equal(t, tc.code, got.code, "%s%s", got.stdout, got.stderr)
			assert.Contains(t, got.stderr, tc.says)
			assert.Empty(t, hub.log, "GitHub is not asked")
		})
	}
}

func TestSyncTellsWhatGitHubRefuses(t *testing.T) {
	t.Parallel()
	const secret = "PUT /repos/octo/flake/actions/secrets/CACHIX_AUTH_TOKEN"
	for _, tc := range []struct {
		name   string
		change func(*githubStandIn, map[string]string)
		says   []string
	}{
		{name: "a wrong token", change: func(_ *githubStandIn, env map[string]string) { env["GH_TOKEN"] = "ghp_hunter2wrong" }, says: []string{"GitHub answered 401: Bad credentials", "\nhint: the token is wrong"}},
		{name: "a missing permission", change: func(hub *githubStandIn, _ map[string]string) {
			hub.override[secret] = say(403, "application/json", `{"message":"Resource not accessible by personal access token"}`)
		}, says: []string{"0 of 2 changes made", "\nhint: a fine-grained token needs"}},
		{name: "nobody listens", change: func(_ *githubStandIn, env map[string]string) { env["GITHUB_API_URL"] = refused(t) }, says: []string{"connection refused"}},
		{name: "a proxy's page", change: func(hub *githubStandIn, _ map[string]string) {
			hub.override["GET /repos/octo/flake/actions/variables/CACHIX_CACHE_NAME"] = say(200, "text/html", proxyPage)
		}, says: []string{"proxy"}},
		{name: "out of order", change: func(hub *githubStandIn, _ map[string]string) {
			hub.override["GET /repos/octo/flake"] = say(502, "text/html", proxyPage)
		}, says: []string{"502", "hint: GitHub is out of order"}},
		{name: "cut off", change: func(hub *githubStandIn, _ map[string]string) { hub.override["GET /repos/octo/flake"] = cutOff }, says: []string{"cut off"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, hub, env := syncWorld(t)
			tc.change(hub, env)
			dir := folder(t, map[string]string{settingsFile: "cache: {name: acme}\n"})
			got := invocation{env: env}.run(t, "-C", dir, "secrets", "sync", "--repo", "octo/flake", "--token", "env:PUSH", "--apply")
			assert.Equal(t, exitFailure, got.code, "%s%s", got.stdout, got.stderr)
			for _, text := range tc.says {
				assert.Contains(t, got.stderr, text)
			}
			assert.Empty(t, hub.secrets)
		})
	}
}

// The repository and the token of GitHub come from the programs git and gh, run as a person would have them.
func TestSyncAsksGitAndGh(t *testing.T) {
	t.Parallel()
	_, hub, env := syncWorld(t)
	bin := folder(t, map[string]string{"gh": "#!/bin/sh\n[ \"$*\" = 'auth token --hostname github.example' ] && echo " + githubToken + "\n"})
	require.NoError(t, os.Chmod(filepath.Join(bin, "gh"), 0o755))
	dir := folder(t, map[string]string{"garnix.yaml": "", settingsFile: "cache: {name: acme}\n"})
	for _, args := range [][]string{{"init", "-q"}, {"remote", "add", "origin", "https://me:s3cret@github.example/octo/flake.git"}} {
		command := exec.Command("git", args...)
		command.Dir = dir
		require.NoError(t, command.Run())
	}
	maps.Copy(env, map[string]string{"GH_TOKEN": "", "GITHUB_SERVER_URL": "https://github.example", "PATH": bin + ":" + os.Getenv("PATH")})

	got := program{dir: dir, env: env}.run(t, "secrets", "sync", "--token", "env:PUSH", "--apply")
	require.Equal(t, exitFine, got.code, "%s%s", got.stdout, got.stderr)
	assert.Equal(t, pushToken, hub.secrets["actions/CACHIX_AUTH_TOKEN"])

	env["GITHUB_SERVER_URL"] = "https://elsewhere.example"
	elsewhere := program{dir: dir, env: env}.run(t, "secrets", "sync", "--token", "env:PUSH")
	assert.Equal(t, exitUsage, elsewhere.code)
	assert.Contains(t, elsewhere.stderr, "is not a repository at elsewhere.example")

	tokenless := program{dir: dir, env: env}.run(t, "secrets", "sync", "--token", "env:PUSH", "--repo", "octo/flake")
	assert.Equal(t, exitFailure, tokenless.code)
	assert.Contains(t, tokenless.stderr, "gh auth login")
}

func TestGitHubIsNamedAsRemotesNameIt(t *testing.T) {
	t.Parallel()
	for api, want := range map[string]string{
		"":                              "github.com",
		"https://api.github.com":        "github.com",
		"https://api.octo.ghe.com":      "octo.ghe.com",
		"https://ghe.example/api/v3":    "ghe.example",
		"https://api.ghe.example/v3":    "api.ghe.example",
		"://nonsense":                   "github.com",
		"https://127.0.0.1:1234/api/v3": "127.0.0.1",
	} {
		s := syncer{service: service{options: &options{environment: environment{getenv: func(name string) string {
			return map[string]string{"GITHUB_API_URL": api}[name]
		}}}}}
		assert.Equal(t, want, s.host(), api)
	}
}

package main

import (
	"maps"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
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
	maps.Copy(env, hub.env())
	env["PUSH"], env["WIDE"] = pushToken, accountToken
	return service, hub, env
}

func TestSyncShowsFirstAndAppliesWhenTold(t *testing.T) {
	t.Parallel()
	_, hub, env := syncWorld(t)
	dir := folder(t, map[string]string{settingsFile: "cache: {name: acme}\n"})
	args := []string{"-C", dir, "secrets", "sync", "--repo", "octo/flake", "--token", "env:PUSH"}
	world := program{hub: hub, env: env}

	shown := world.run(t, args...)
	assert.Equal(t, exitFine, shown.code, shown.stderr)
	assert.Equal(t, "secret    CACHIX_AUTH_TOKEN  create  github.localhost/octo/flake  \nvariable  CACHIX_CACHE_NAME  create  github.localhost/octo/flake  \n", shown.stdout)
	assert.Contains(t, shown.stderr, "nothing was changed")
	assert.Equal(t, 1, strings.Count(shown.stderr, "repository: "), shown.stderr)
	assert.Empty(t, hub.secrets)

	applied := world.run(t, append(args, "--apply")...)
	assert.Equal(t, exitFine, applied.code, applied.stderr)
	assert.Contains(t, applied.stderr, "2 of 2 changes made")
	assert.Equal(t, map[string]string{"actions/CACHIX_AUTH_TOKEN": pushToken}, hub.secrets)
	assert.Equal(t, map[string]string{"actions/CACHIX_CACHE_NAME": "acme"}, hub.variables)

	hub.variables["actions/CACHIX_CACHE_NAME"] = "old"
	again := decoded[struct {
		Repository       string
		Changes, Applied []github.Change
	}](t, world.run(t, append(args, "--format", "json")...))
	require.Len(t, again.Changes, 2)
	assert.Equal(t, github.Unknown, again.Changes[0].Action)
	assert.Equal(t, github.Update, again.Changes[1].Action)
	assert.Empty(t, again.Applied)
	assert.Equal(t, "octo/flake", again.Repository)
}

func TestSyncReachesAnEnvironmentAndEveryKindOfSecret(t *testing.T) {
	t.Parallel()
	_, hub, env := syncWorld(t)
	hub.environments = []string{"environments/production"}
	env["KEY"] = "s3cret-age"
	dir := folder(t, map[string]string{
		settingsFile:  "cache: {name: acme, token-secret: PUSH_TOKEN, signing-key-secret: SIGNING}\n",
		"garnix.yaml": "actions:\n  - {on: push, run: deploy-web}\n  - {on: push, run: deploy_web}\n",
		"signing":     "s3cret-signing\n",
	})
	got := program{hub: hub, env: env, stdin: pushToken + "\n"}.run(t, "-C", dir, "secrets", "sync", "--repo", "octo/flake", "--environment", "production",
		"--token", "stdin", "--secret", "SIGNING=file:"+filepath.Join(dir, "signing"), "--secret", "GARNIX_ACTION_KEY_DEPLOY_WEB_2=env:KEY", "--apply")
	require.Equal(t, exitFine, got.code, "%s%s", got.stdout, got.stderr)
	assert.Equal(t, map[string]string{
		"environments/production/PUSH_TOKEN": pushToken, "environments/production/SIGNING": "s3cret-signing",
		"environments/production/GARNIX_ACTION_KEY_DEPLOY_WEB_2": "s3cret-age",
	}, hub.secrets, "an action's secret has the name that its workflow asks for")
	assert.Equal(t, map[string]string{"environments/production/CACHIX_CACHE_NAME": "acme"}, hub.variables)
}

func TestSyncTellsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	const store = "cache: {backend: nix, url: 'https://c.example', public-key: '" + cacheKey + "', push-url: "
	for _, tc := range []struct {
		name, settings, config string
		args                   []string
		want, says             string
	}{
		{
			name: "Cachix, with its name in a variable", want: "secret CACHIX_AUTH_TOKEN unchanged\nvariable CACHIX_CACHE_NAME missing --cache-name NAME\n",
			says: `pull requests from forks no variables, so theirs build without the cache; "garnix2gha init --cache NAME" writes`,
		},
		{
			name: "Cachix, with the name at hand", args: []string{"--cache-name", "acme"},
			want: "secret CACHIX_AUTH_TOKEN unchanged\nvariable CACHIX_CACHE_NAME create\n", says: `"garnix2gha init --cache acme" writes`,
		},
		{
			name: "Cachix, with the name in the settings", settings: "cache: {name: acme, token-secret: T, signing-key-secret: S}\n",
			want: "secret T missing --token SOURCE\nsecret S missing --secret S=SOURCE\nvariable CACHIX_CACHE_NAME create\n",
		},
		{
			name: "S3", settings: store + "'s3://b?region=r', signing-key-secret: SIGN}\n",
			want: "secret SIGN missing --secret SIGN=SOURCE\nsecret AWS_ACCESS_KEY_ID missing --secret AWS_ACCESS_KEY_ID=SOURCE\nsecret AWS_SECRET_ACCESS_KEY missing --secret AWS_SECRET_ACCESS_KEY=SOURCE\n",
		},
		{name: "attic", settings: "cache: {backend: attic, server: 'https://a.example', url: 'https://a.example/b'}\n", want: "secret ATTIC_TOKEN missing --token SOURCE\n"},
		{
			name: "actions and private inputs", settings: "cache: {name: acme}\nnix: {access-token-secret: INPUTS}\n", config: "actions:\n  - {on: push, run: deploy}\n",
			want: "secret CACHIX_AUTH_TOKEN unchanged\nsecret INPUTS missing --secret INPUTS=SOURCE\n" +
				"secret GARNIX_ACTION_KEY_DEPLOY missing --secret GARNIX_ACTION_KEY_DEPLOY=SOURCE\nvariable CACHIX_CACHE_NAME create\n",
		},
		{name: "a store that needs nothing", settings: store + "'ssh://c.example'}\n", says: "the workflows need neither a secret nor a variable"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, hub, env := syncWorld(t)
			hub.secrets["actions/CACHIX_AUTH_TOKEN"] = "there"
			dir := folder(t, map[string]string{settingsFile: tc.settings, "garnix.yaml": tc.config})
			got := program{hub: hub, env: env}.run(t, append([]string{"-C", dir, "secrets", "sync", "--repo", "octo/flake"}, tc.args...)...)
			assert.Equal(t, exitFine, got.code, got.stderr)
			var rows strings.Builder
			for line := range strings.Lines(got.stdout) {
				line = strings.ReplaceAll(line, "github.localhost/octo/flake", "")
				rows.WriteString(strings.Join(strings.Fields(strings.Replace(line, "not set; give it with", "", 1)), " ") + "\n")
			}
			assert.Equal(t, tc.want, rows.String())
			assert.Contains(t, got.stderr, tc.says)
			if tc.says == "" {
				assert.NotContains(t, strings.ReplaceAll(got.stderr, dir, ""), "token")
			}
		})
	}
}

func TestSyncFillsAnS3Store(t *testing.T) {
	t.Parallel()
	_, hub, env := syncWorld(t)
	env["ID"], env["KEY"], env["SIGN"] = "AKIAs3cret", "s3cret-key", "s3cret-sign"
	dir := folder(t, map[string]string{settingsFile: "cache: {backend: nix, url: 'https://c.example', push-url: 's3://b?region=r', signing-key-secret: S}\n"})
	got := program{hub: hub, env: env}.run(t, "-C", dir, "secrets", "sync", "--repo", "octo/flake", "--apply",
		"--secret", "aws_access_key_id=env:ID", "--secret", "AWS_SECRET_ACCESS_KEY=env:KEY", "--secret", "S=env:SIGN")
	require.Equal(t, exitFine, got.code, got.stderr)
	assert.Equal(t, map[string]string{"actions/AWS_ACCESS_KEY_ID": "AKIAs3cret", "actions/AWS_SECRET_ACCESS_KEY": "s3cret-key", "actions/S": "s3cret-sign"}, hub.secrets)
}

func TestSyncTakesACommandsOutput(t *testing.T) {
	t.Parallel()
	_, hub, env := syncWorld(t)
	dir := folder(t, map[string]string{settingsFile: "cache: {name: acme}\n", "my token": pushToken + "\n"})
	args := []string{"-C", dir, "secrets", "sync", "--repo", "octo/flake", "--apply", "--token"}
	got := program{hub: hub, env: env}.run(t, append(args, "command:cat '"+dir+"/my token'")...)
	require.Equal(t, exitFine, got.code, got.stderr)
	assert.Equal(t, pushToken, hub.secrets["actions/CACHIX_AUTH_TOKEN"])

	piped := program{hub: hub, env: env}.run(t, append(args, "command:cat '"+dir+"/my token' | head")...)
	assert.Equal(t, exitUsage, piped.code)
	assert.Contains(t, piped.stderr, "no shell runs it")
}

func TestSyncJudgesTheToken(t *testing.T) {
	t.Parallel()
	const named, unnamed = "cache: {name: acme}\n", ""
	for _, tc := range []struct {
		name, settings, token string
		flag                  string // in the place of --token
		down                  bool
		code                  int
		says                  string
	}{
		{name: "an account-wide token is refused", settings: named, token: accountToken, code: exitProblems, says: "refused to store the token"},
		{name: "also where no cache is known", settings: unnamed, token: accountToken, code: exitProblems, says: "refused to store the token"},
		{name: "also under its own name", settings: named, token: accountToken, flag: "CACHIX_AUTH_TOKEN=", code: exitProblems, says: "refused to store the token"},
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
				env[apiVariable] = serve(t, say(200, "text/html", proxyPage)).URL + "/api/v1"
			}
			dir := folder(t, map[string]string{settingsFile: tc.settings})
			flag := "--token"
			if tc.flag != "" {
				flag = "--secret"
			}
			got := program{hub: hub, env: env}.run(t, "-C", dir, "secrets", "sync", "--repo", "octo/flake", flag, tc.flag+"env:TOKEN", "--apply")
			assert.Equal(t, tc.code, got.code, "%s%s", got.stdout, got.stderr)
			if tc.says == "" {
				assert.NotContains(t, strings.ReplaceAll(got.stderr, dir, ""), "token")
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
		name, settings, config string
		args                   []string
		code                   int
		says                   string
	}{
		{name: "a token in the place of its source", args: []string{"--token", pushToken}, code: exitUsage, says: "unknown source"},
		{name: "a token in the place of a name", args: []string{"--cache-name", pushToken}, code: exitUsage, says: "everyone can read a variable"},
		{name: "another token in the place of a name", args: []string{"--cache-name", githubToken}, code: exitUsage, says: "no name of a Cachix cache"},
		{name: "an argument", args: []string{"acme"}, code: exitUsage, says: "unexpected argument"},
		{name: "standard input twice", settings: "cache: {signing-key-secret: S}\n", args: []string{"--token", "-", "--secret", "S=stdin"}, code: exitUsage, says: "is read for another secret already"},
		{name: "one secret twice", settings: "cache: {signing-key-secret: CACHIX_AUTH_TOKEN}\n", args: []string{"--token", "env:A", "--secret", "CACHIX_AUTH_TOKEN=env:B"}, code: exitUsage, says: "another source of the secret CACHIX_AUTH_TOKEN"},
		{name: "one secret twice, to GitHub", settings: "cache: {signing-key-secret: Cachix_Auth_Token}\n", args: []string{"--token", "env:A", "--secret", "Cachix_Auth_Token=env:B"}, code: exitUsage, says: "another source of the secret CACHIX_AUTH_TOKEN"},
		{name: "a signing key that nothing uses", args: []string{"--secret", "SIGNING=env:PUSH"}, code: exitUsage, says: "no such secret"},
		{name: "a cache name for another backend", settings: attic, args: []string{"--cache-name", "acme"}, code: exitUsage, says: "another backend"},
		{name: "an action that is none", args: []string{"--secret", "GARNIX_ACTION_KEY_DEPLOY=env:PUSH"}, code: exitUsage, says: "no such secret"},
		{name: "a token that a store does not have", settings: "cache: {backend: nix, url: 'https://c.example', push-url: 'ssh://c.example'}\n", args: []string{"--token", "env:PUSH"}, code: exitUsage, says: "no such secret"},
		{name: "one action twice", config: "actions:\n  - {on: push, run: deploy}\n", args: []string{"--secret", "GARNIX_ACTION_KEY_DEPLOY=env:A", "--secret", "GARNIX_ACTION_KEY_DEPLOY=env:B"}, code: exitUsage, says: "another source"},
		{name: "a secret without a source", args: []string{"--secret", pushToken}, code: exitUsage, says: "want NAME=SOURCE"},
		{name: "a variable that is not set", args: []string{"--repo", "octo/flake", "--token", "env:NOT_THERE"}, code: exitFailure, says: "not set"},
		{name: "settings with errors", settings: "nonsense: 1\n", args: []string{"--token", "env:PUSH"}, code: exitProblems, says: "unknown key"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, map[string]string{settingsFile: tc.settings, "garnix.yaml": tc.config})
			got := program{hub: hub, env: env}.run(t, append([]string{"-C", dir, "secrets", "sync"}, tc.args...)...)
			assert.Equal(t, tc.code, got.code, "%s%s", got.stdout, got.stderr)
			assert.Contains(t, got.stderr, tc.says)
			assert.Empty(t, hub.log, "GitHub is not asked")
		})
	}
}

func TestSyncTellsWhatGitHubRefuses(t *testing.T) {
	t.Parallel()
	const (
		repository = "GET /repos/octo/flake"
		list       = "GET /repos/octo/flake/actions/secrets"
		variable   = "GET /repos/octo/flake/actions/variables/CACHIX_CACHE_NAME"
		key        = "GET /repos/octo/flake/actions/secrets/public-key"
		secret     = "PUT /repos/octo/flake/actions/secrets/CACHIX_AUTH_TOKEN"
		post       = "POST /repos/octo/flake/actions/variables"
	)
	for _, tc := range []struct {
		name   string
		entry  string
		answer http.HandlerFunc
		env    map[string]string
		args   []string
		says   []string
	}{
		{name: "a wrong token", env: map[string]string{"GH_TOKEN": "ghp_hunter2wrong"}, says: []string{"read repository github.localhost/octo/flake: Bad credentials (HTTP 401)", "\nhint: the login is wrong, expired or revoked"}},
		{name: "no login at all", env: map[string]string{"GH_TOKEN": "", "GH_HOST": ""}, says: []string{"gh is not logged in", "\nhint: run \"gh auth login\""}},
		{name: "no gh", env: map[string]string{"PATH": t.TempDir()}, says: []string{"gh is not installed", "\nhint: install it"}},
		{name: "a repository that is not there", args: []string{"--repo", "octo/other"}, says: []string{"read repository github.localhost/octo/other: Not Found (HTTP 404)", "\nhint: GitHub also says so of what the login may not see"}},
		{name: "an environment that is not there", args: []string{"--environment", "staging"}, says: []string{"list secrets of environment staging of github.localhost/octo/flake: Not Found", "\nhint: make the environment in the repository's settings first"}},
		{name: "a repository that is none", args: []string{"--repo", "octo"}, says: []string{`got "octo"`, "\nhint: name it with --repo [HOST/]OWNER/NAME"}},
		{name: "a missing scope", entry: list, answer: refuse(403, "Must have admin rights to Repository.", "X-Accepted-OAuth-Scopes", "repo", "X-OAuth-Scopes", "gist"), says: []string{"Must have admin rights to Repository. (HTTP 403)", `hint: This API operation needs the "repo" scope`, "gh auth refresh -h github.localhost -s repo"}},
		{name: "a missing permission", entry: secret, answer: refuse(403, "Resource not accessible by personal access token"), says: []string{"0 of 2 changes made", "set secret CACHIX_AUTH_TOKEN of github.localhost/octo/flake", "not accessible", "\nhint: the login may not do this"}},
		{name: "single sign-on", entry: repository, answer: refuse(403, "Resource protected by organization SAML enforcement."), says: []string{"SAML", "\nhint: the organization asks for single sign-on"}},
		{name: "a rate limit", entry: variable, answer: refuse(429, "API rate limit exceeded", "Retry-After", "60"), says: []string{"rate limit", "\nhint: GitHub limits how often it is asked: wait a minute"}},
		{name: "a secondary rate limit", entry: key, answer: refuse(403, "You have exceeded a secondary rate limit", "Retry-After", "60"), says: []string{"0 of 2 changes made", "\nhint: GitHub limits how often it is asked: wait a minute"}},
		{name: "a value that GitHub does not take", entry: secret, answer: refuse(422, "Validation Failed: value s\x1b[31m is bad"), says: []string{"HTTP 422: Validation Failed: value s"}},
		{name: "a proxy's page", entry: variable, answer: say(200, "text/html", proxyPage), says: []string{"read variable CACHIX_CACHE_NAME of github.localhost/octo/flake", "is there a proxy in between?"}},
		{name: "out of order", entry: repository, answer: say(502, "text/html", proxyPage), says: []string{"HTTP 502", "\nhint: GitHub is out of order"}},
		{name: "cut off", entry: repository, answer: cutOff, says: []string{"unexpected EOF"}},
		{name: "nobody listens", env: map[string]string{"HTTP_PROXY": refused}, says: []string{"connection refused"}},
		{name: "a failure half way", entry: post, answer: refuse(500, "Server Error"), says: []string{"1 of 2 changes made", "set variable CACHIX_CACHE_NAME", "\nhint: GitHub is out of order"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, hub, env := syncWorld(t)
			hub.override[tc.entry] = tc.answer
			maps.Copy(env, tc.env)
			dir := folder(t, map[string]string{settingsFile: "cache: {name: acme}\n"})
			args := append([]string{"-C", dir, "secrets", "sync", "--repo", "octo/flake", "--token", "env:PUSH", "--apply"}, tc.args...)
			got := program{hub: hub, env: env}.run(t, args...)
			assert.Equal(t, exitFailure, got.code, "%s%s", got.stdout, got.stderr)
			for _, text := range tc.says {
				assert.Contains(t, got.stderr, text)
			}
			assert.Equal(t, tc.entry == post, len(hub.secrets) == 1, "what was made before a failure stays")
			assert.Empty(t, hub.variables)
		})
	}
}

func TestSyncCopesWithAVariableThatSomebodyElseMade(t *testing.T) {
	t.Parallel()
	_, hub, env := syncWorld(t)
	const at = "actions/CACHIX_CACHE_NAME"
	hub.override["GET /repos/octo/flake/actions/variables/CACHIX_CACHE_NAME"] = func(w http.ResponseWriter, r *http.Request) {
		hub.variables[at] = "theirs"
		refuse(404, "Not Found")(w, r)
	}
	dir := folder(t, map[string]string{settingsFile: "cache: {name: acme}\n"})
	got := program{hub: hub, env: env}.run(t, "-C", dir, "secrets", "sync", "--repo", "octo/flake", "--apply")
	assert.Equal(t, exitFine, got.code, got.stderr)
	assert.Equal(t, "acme", hub.variables[at])
}

// The repository comes from git's remotes, as gh reads them, and only of hosts that gh knows.
func TestSyncFindsTheRepositoryThroughGh(t *testing.T) {
	t.Parallel()
	_, hub, env := syncWorld(t)
	dir := folder(t, map[string]string{"garnix.yaml": "", settingsFile: "cache: {name: acme}\n"})
	inGit := func(args ...string) {
		command := exec.Command("git", args...)
		command.Dir = dir
		require.NoError(t, command.Run())
	}
	inGit("init", "-q")
	none := program{dir: dir, hub: hub, env: env}.run(t, "secrets", "sync", "--token", "env:PUSH")
	assert.Equal(t, exitFailure, none.code)
	assert.Contains(t, none.stderr, "no git remotes found\nhint: name it with --repo")

	inGit("remote", "add", "origin", "https://me:s3cret@github.localhost/octo/flake.git")
	got := program{dir: dir, hub: hub, env: env}.run(t, "secrets", "sync", "--token", "env:PUSH", "--apply")
	require.Equal(t, exitFine, got.code, "%s%s", got.stdout, got.stderr)
	assert.Equal(t, pushToken, hub.secrets["actions/CACHIX_AUTH_TOKEN"])

	inGit("remote", "set-url", "origin", "git@elsewhere.example:octo/flake.git")
	elsewhere := program{dir: dir, hub: hub, env: env}.run(t, "secrets", "sync", "--token", "env:PUSH")
	assert.Equal(t, exitFailure, elsewhere.code)
	assert.Contains(t, elsewhere.stderr, "\nhint: name it with --repo")
}

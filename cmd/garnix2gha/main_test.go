package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"garnix2gha": main})
}

// TestScripts runs what a person would type: testdata/script/*.txtar, one capability each.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir+"/home")
			env.Setenv("NIX_CONFIG", "experimental-features = nix-command flakes\nbuild-users-group =\nsandbox = false\nsubstituters =\n")
			env.Setenv("GIT_AUTHOR_NAME", "t")
			env.Setenv("GIT_AUTHOR_EMAIL", "t@example.org")
			env.Setenv("GIT_COMMITTER_NAME", "t")
			env.Setenv("GIT_COMMITTER_EMAIL", "t@example.org")
			return os.Mkdir(env.WorkDir+"/home", 0o755)
		},
		Condition: func(name string) (bool, error) {
			if name != "nix" && name != "git" {
				return false, nil
			}
			_, err := exec.LookPath(name)
			if err != nil && os.Getenv("CI") == "true" {
				t.Errorf("%s is missing, and CI must have it", name)
			}
			return err == nil, nil
		},
	})
}

// Cache create: a Cachix cache with a signing key, and the steps from a cache to a CI that pushes to it.

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/cachix"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/settings"
)

func newCacheCreate(o *options) *cobra.Command {
	c := &creator{options: o}
	command := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a Cachix cache with a signing key",
		Long: `Create a cache at Cachix with a signing key, read its public key back, and print the nixConfig
lines of flake.nix and what comes next. A cache that is there already is taken as it is, so it
can be run again.

It needs an account-wide token (a personal auth token, or an organization's) in
CACHIX_AUTH_TOKEN. Such a token is for your machine and never for CI.
Where Cachix's API does not do as expected, the steps on its web pages are printed instead.

With --write the cache is put into .github/garnix2gha/config.yaml; flake.nix is left to
"garnix2gha leftovers --fix", which puts the cache where garnix's stood.

Exit codes: 0 the cache is there, 1 it could not be made so, 2 wrong usage, 3 Cachix could not
be reached.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("want the name of a cache and nothing else; tokens are never arguments")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.create(cmd.Context(), args[0]) },
	}
	command.Flags().BoolVar(&c.private, "private", false, "make a cache that only tokens can read")
	command.Flags().BoolVar(&c.write, "write", false, "put the cache into .github/garnix2gha/config.yaml")
	return command
}

// creator makes a cache.
type creator struct {
	*options
	private, write bool
}

// creationJSON is the JSON of cache create. Next holds what is left to do, after an error the way through the web pages.
type creationJSON struct {
	cachix.CreateResult
	Next      []string `json:"next"`
	NixConfig []string `json:"nixConfig"`
	Written   string   `json:"written"` // the file that names the cache now
	Error     string   `json:"error"`
}

func (c *creator) create(ctx context.Context, name string) error {
	token := c.token()
	if !token.Empty() && name == token.Reveal() {
		return usagef("that is the token, not the name of a cache")
	}
	if err := cachix.ValidateName(name); err != nil {
		return usageError{err}
	}
	// A cache that cannot be written down shall not be made.
	if c.write {
		if err := c.record(cachix.BinaryCache{Name: name}, true); err != nil {
			return err
		}
	}
	show, done := c.progress()
	client := c.client(token, show)
	result, err := client.Create(ctx, cachix.CreateRequest{Name: name, Public: !c.private})
	done()
	made := creationJSON{CreateResult: result, Next: []string{}, NixConfig: nixConfigLines(result.Cache)}
	if err != nil {
		refusal, known := errors.AsType[*cachix.Error](err)
		made.Error = err.Error()
		otherToken := token.Empty() || known && refusal.Refused()
		if otherToken || known && refusal.Status != 0 {
			made.Next = toACache(client, name, otherToken)
		}
		if printed := c.print(made); printed != nil {
			return printed
		}
		if ctx.Err() != nil || known && refusal.Unavailable() {
			return err
		}
		return c.problem(err)
	}
	var failed error
	if c.write {
		if failed = c.record(result.Cache, false); failed == nil {
			made.Written = repo.SettingsFile
		}
	}
	made.Next = afterCreation(client, name, made.Written != "")
	if err := c.print(made); err != nil {
		return err
	}
	return failed
}

// record puts the cache into the settings; a trial only finds out whether that can be done.
func (c *creator) record(cache cachix.BinaryCache, trial bool) error {
	return c.within(func(r *repo.Repo) error {
		if _, err := c.settingsOf(r); err != nil {
			return err
		}
		_, err := changeSettings(r, func(old []byte) ([]byte, error) {
			fresh, err := settings.WithCachix(old, cache.Name, cache.URI, trusted(cache))
			switch {
			case err != nil:
				return nil, c.problem(fmt.Errorf("write %s: %w", repo.SettingsFile, err))
			case trial:
				return old, nil
			}
			return fresh, nil
		})
		return err
	})
}

func (c *creator) print(made creationJSON) error {
	if c.format == "json" {
		return c.printJSON(made)
	}
	for _, step := range made.Steps {
		fmt.Fprintf(c.stdout, "%s\n", diag.Printable(step))
	}
	for _, warning := range made.Warnings {
		fmt.Fprintf(c.stderr, "warning: %s\n", diag.Printable(warning))
	}
	if made.Written != "" {
		fmt.Fprintf(c.stdout, "%s names it\n", made.Written)
	}
	printList(c.stdout, `for flake.nix ("garnix2gha leftovers --fix" puts it in the place of garnix's)`, made.NixConfig)
	printList(c.stdout, "next", made.Next)
	return nil
}

// syncStep is the one way to store secrets.
const syncStep = "store the token and the cache's name in GitHub: garnix2gha secrets sync --token env:" + tokenVariable + " --apply"

// generateStep is for what was generated before the settings named the cache.
const generateStep = "generate again, since the workflows do not know the cache yet, and commit the result: garnix2gha generate"

// nameSteps put a cache's name into the settings, and from there into the workflows.
func nameSteps(name string) []string {
	return []string{"put the cache into the settings: garnix2gha init --cache " + name, generateStep}
}

// tokenSteps are how to come by a token that is right for CI, and to store it.
func tokenSteps(client cachix.Client, name string) []string {
	return []string{
		"make a token for this cache alone, with write permission and an expiry date: " + client.Page("/cache/"+name) + ", Settings, Auth Tokens",
		"put that token into " + tokenVariable + " and " + syncStep,
	}
}

// afterCreation is what is left to do once a cache is there; named tells that the settings name it.
func afterCreation(client cachix.Client, name string, named bool) []string {
	if named {
		return append([]string{generateStep}, tokenSteps(client, name)...)
	}
	return append(nameSteps(name), tokenSteps(client, name)...)
}

// toACache is the way to a cache that is not there: on the web pages, or with a token that may make one.
func toACache(client cachix.Client, name string, withToken bool) []string {
	step := "make the cache by hand at " + client.Page("/cache")
	if withToken {
		step += ", or with a personal token (" + client.Page("/personal-auth-tokens") + "): garnix2gha cache create " + name
	}
	return append([]string{step}, afterCreation(client, name, false)...)
}

// afterInspection is the way from what was found to a CI that pushes; named tells that the settings name the cache.
func afterInspection(client cachix.Client, in cachix.Inspection, named bool) []string {
	var steps []string
	pushes := in.Verdict == cachix.DataPlane && in.TokenCache == "" && in.Cache.Permission == cachix.Write
	switch {
	case in.State == cachix.Unreachable:
		return []string{"try again when the service is reachable"}
	case in.Verdict == cachix.AccountWide && in.State == cachix.Hidden:
		return []string{"make the cache, which this token can do: garnix2gha cache create " + in.Name}
	case in.Verdict == cachix.AccountWide && in.Cache.Permission == cachix.Read:
		return []string{"choose another name: this cache is someone else's"}
	case pushes && named:
		return []string{syncStep}
	case pushes:
		return append(nameSteps(in.Name), syncStep)
	case in.TokenCache != "" && in.Verdict == cachix.DataPlane:
		steps = append(steps, "or use the token's own cache: garnix2gha init --cache "+in.TokenCache)
	case in.Token && in.Verdict == "":
		steps = append(steps, "try again; if nothing changes, the token is of no use here")
	}
	if in.State == cachix.Readable {
		return append(steps, afterCreation(client, in.Name, named)...)
	}
	steps = append(steps, "if the cache is there and private: make a new token for it and look again")
	return append(steps, toACache(client, in.Name, true)...)
}

// nixConfigLines are the lines for flake.nix that let users of the flake take from the cache; none while the cache has
// no address or no key.
func nixConfigLines(cache cachix.BinaryCache) []string {
	keys := trusted(cache)
	if cache.URI == "" || len(keys) == 0 {
		return []string{}
	}
	lines := []string{
		"nixConfig = {",
		"  extra-substituters = [ " + nixString(cache.URI) + " ];",
		"  extra-trusted-public-keys = [",
	}
	for _, key := range keys {
		lines = append(lines, "    "+nixString(key))
	}
	return append(lines, "  ];", "};")
}

// nixString quotes text as a Nix string.
func nixString(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `${`, `\${`).Replace(text) + `"`
}

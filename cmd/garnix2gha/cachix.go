// Cache create and cache inspect: a Cachix cache, what a token can do, and the steps to a CI that pushes to it.

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/cachix"
	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/settings"
)

func newCacheCreate(o *options) *cobra.Command {
	var private bool
	command := &cobra.Command{
		Use:  "create NAME",
		Args: arguments(1, "the name of a cache and nothing else; tokens are never arguments"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.create(cmd.Context(), args[0], !private) },
	}
	command.Flags().BoolVar(&private, "private", false, "make a cache that only tokens can read")
	return command
}

// creationJSON is the JSON of cache create. Next holds what is left to do, after an error the way through the web pages.
type creationJSON struct {
	cachix.CreateResult
	Next      []string `json:"next"`
	NixConfig []string `json:"nixConfig"`
	Error     string   `json:"error"`
}

func (o *options) create(ctx context.Context, name string, public bool) error {
	token := o.token()
	if !token.Empty() && name == token.Reveal() {
		return usagef("that is the token, not the name of a cache")
	}
	if err := cachix.ValidateName(name); err != nil {
		return usageError{error: err}
	}
	known, err := o.settings()
	if err != nil {
		return err
	}
	show, done := o.progress("asking Cachix")
	client := o.client(token, show)
	o.elsewhere = "a second run takes a cache that is there already as it is"
	result, err := client.Create(ctx, name, public)
	done()
	made := creationJSON{CreateResult: result, Next: []string{}, NixConfig: nixConfigLines(result.Cache)}
	refusal, answered := errors.AsType[*restapi.Fault](err)
	if err == nil {
		changes := naming(known, name)
		if keys := trusted(result.Cache); !public && len(keys) > 0 {
			changes = append(changes, "add to cache: in the settings, since nobody can ask for the key of a private cache: private: true, public-key: "+keys[0])
		}
		made.Next = toCI(client, name, changes, false)
	} else {
		made.Error = err.Error()
		otherToken := token.Empty() || answered && refusal.Refused()
		if otherToken || answered && refusal.Status != 0 {
			made.Next = toACache(client, name, naming(known, name), otherToken)
		}
	}
	if printed := o.printCreation(made); printed != nil {
		return printed
	}
	if err == nil || ctx.Err() != nil || answered && refusal.Unavailable() {
		return err
	}
	return o.problem(err)
}

func (o *options) printCreation(made creationJSON) error {
	if o.format == "json" {
		return o.printJSON(made)
	}
	for _, step := range made.Steps {
		fmt.Fprintf(o.stdout, "%s\n", diag.Printable(step))
	}
	o.say("warning", made.Warnings)
	printList(o.stdout, `for flake.nix ("garnix2gha leftovers --fix" puts it in the place of garnix's)`, made.NixConfig)
	printList(o.stdout, "next", made.Next)
	return nil
}

const (
	// syncStep is the one way to store secrets.
	syncStep = "store the token and the cache's name in GitHub: garnix2gha secrets sync --token env:" + tokenVariable + " --apply"
	// generateStep is for what was generated before the settings named the cache.
	generateStep = "generate again, since the workflows do not know the cache yet, and commit the result: garnix2gha generate"
)

// naming is what the settings need in order to name a cache: nothing, or one step.
func naming(known *settings.Settings, name string) []string {
	if known.Cache.Backend == settings.Cachix && known.Cache.Name == name {
		return nil
	}
	return []string{"put the cache into the settings: garnix2gha init --cache " + name}
}

// toCI is the way from a cache to a CI that pushes to it, with what the settings need and, unless the token is fit, another.
func toCI(client cachix.Client, name string, changes []string, fit bool) []string {
	steps := changes
	if len(changes) > 0 {
		steps = append(steps, generateStep)
	}
	if fit {
		return append(steps, syncStep)
	}
	return append(steps,
		"make a token for this cache alone, with write permission and an expiry date: "+client.Page("/cache/"+name)+", Settings, Auth Tokens",
		"put that token into "+tokenVariable+" and "+syncStep)
}

// toACache is the way to a cache that is not there: on the web pages, or with a token that may make one.
func toACache(client cachix.Client, name string, changes []string, withToken bool) []string {
	step := "make the cache by hand at " + client.Page("/cache")
	if withToken {
		step += ", or with a personal token (" + client.Page("/personal-auth-tokens") + ") in " + tokenVariable + ": garnix2gha cache create " + name
	}
	return append([]string{step}, toCI(client, name, changes, false)...)
}

// afterInspection is the way from what was found to a CI that pushes; changes are what the settings need to name the cache.
func afterInspection(client cachix.Client, in cachix.Inspection, changes []string) []string {
	var steps []string
	switch {
	case in.State == cachix.Unreachable:
		return []string{"try again when the service is reachable"}
	case in.Verdict == cachix.AccountWide && in.State == cachix.Hidden:
		return []string{"make the cache, which this token can do: garnix2gha cache create " + in.Name}
	case in.Verdict == cachix.AccountWide && in.Cache.Permission == cachix.Read:
		return []string{"choose another name: this cache is someone else's"}
	case in.Verdict == cachix.DataPlane && in.TokenCache != "":
		steps = append(steps, "or use the token's own cache: garnix2gha init --cache "+in.TokenCache)
	case in.Verdict == cachix.DataPlane && in.Cache.Permission == cachix.Write:
		return toCI(client, in.Name, changes, true)
	case in.Token && in.Verdict == "":
		steps = append(steps, "try again; if nothing changes, the token is of no use here")
	}
	if in.State == cachix.Readable {
		return append(steps, toCI(client, in.Name, changes, false)...)
	}
	steps = append(steps, "if the cache is there and private: make a new token for it and look again")
	return append(steps, toACache(client, in.Name, changes, true)...)
}

// nixConfigLines let users of a flake take from the cache; there are none while it has no address or no key.
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

func nixString(text string) string { return strings.ReplaceAll(strconv.Quote(text), "${", `\${`) }

func newCacheInspect(o *options) *cobra.Command {
	return &cobra.Command{
		Use:  "inspect [NAME]",
		Args: arguments(0, "the name of a cache and nothing else; tokens are never arguments"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.inspect(cmd.Context(), strings.Join(args, ""))
		},
	}
}

type inspectionJSON struct {
	cachix.Inspection
	Next []string `json:"next"` // what to do, in order
}

func (o *options) inspect(ctx context.Context, named string) error {
	known, err := o.settings()
	if err != nil {
		return err
	}
	name, err := o.cacheName(known, named)
	if err != nil {
		return err
	}
	if known.Cache.Backend != settings.Cachix && name == "" {
		return usagef("only Cachix can be inspected, and the settings name another backend; \"garnix2gha cache verify\" proves any cache")
	}
	if name == "" {
		return usagef("no Cachix cache is known: give its name, set cache.name in the settings, or " + nameVariable)
	}
	show, done := o.progress("asking Cachix")
	client := o.client(o.token(), show)
	found, err := client.Inspect(ctx, name)
	done()
	if err != nil {
		return err
	}
	in := inspectionJSON{Inspection: found, Next: afterInspection(client, found, naming(known, name))}
	if err := o.printInspection(in); err != nil {
		return err
	}
	switch {
	case in.State == cachix.Unreachable:
		return fmt.Errorf("inspect cache %s: Cachix could not be reached, or gave no usable answer", name)
	case !in.Settled():
		return fmt.Errorf("inspect cache %s: %s", name, in.Summary())
	case in.FitForCI, !in.Token && in.State == cachix.Readable:
		return nil
	}
	return errProblems
}

func (o *options) printInspection(in inspectionJSON) error {
	if o.format == "json" {
		return o.printJSON(in)
	}
	line := func(title, text string) {
		if text != "" {
			fmt.Fprintf(o.stdout, "%-8s %s\n", title, diag.Printable(text))
		}
	}
	line("cache", describeCache(in.Inspection))
	if in.Cache != nil {
		line("url", in.Cache.URI)
		line("keys", strings.Join(in.Cache.PublicSigningKeys, " "))
	}
	verdict := in.Summary()
	if in.Verdict != "" {
		verdict = string(in.Verdict) + ": " + verdict
	}
	line("token", verdict)
	printList(o.stdout, "how this is known", in.Established)
	o.say("warning", in.Warnings)
	printList(o.stdout, "next", in.Next)
	return nil
}

func describeCache(in cachix.Inspection) string {
	switch in.State {
	case cachix.Readable:
		text := in.Name + ", " + string(in.Cache.Visibility)
		if in.Cache.GithubUsername != "" {
			text += ", of " + in.Cache.GithubUsername
		}
		return text
	case cachix.Hidden:
		return in.Name + ", which is missing, or private and not for this token: Cachix does not say which"
	}
	return in.Name + ", of which nothing could be learnt"
}

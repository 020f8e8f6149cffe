// Cache inspect: what a Cachix cache is and what a token can do.

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/cachix"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/settings"
)

func newCacheInspect(o *options) *cobra.Command {
	return &cobra.Command{
		Use:  "inspect [NAME]",
		Args: arguments(0, 1, "the name of a cache and nothing else; tokens are never arguments"),
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

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/cachix"
	"garnix2gha/generator/diag"
)

func newCacheInspect(s *service) *cobra.Command {
	command := &cobra.Command{
		Use:   "inspect [NAME]",
		Short: "Tell what a Cachix cache is, what a token can do, and what to do next",
		Long: `Ask Cachix what a cache is and what the token in CACHIX_AUTH_TOKEN can do with it: not a token
at all, expired, read-only, good for one cache (the one for CI), or account-wide (never for CI).
Each finding says how it was established: by the API's answers, which decide, or by what the
token says about itself, which only hints. Then come the exact next steps. Nothing is changed.

NAME defaults to the settings' cache, then to $CACHIX_CACHE_NAME.

Exit codes: 0 the token is fit for CI, or none was given and the cache can be read; 1 not so;
3 Cachix could not be reached, or did not say enough.`,
		Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.inspect(cmd.Context(), strings.Join(args, ""))
		},
	}
	s.tokenFlags(command)
	return command
}

// oneName takes the name of a cache or nothing. What is too much is not repeated: it may be a token.
func oneName(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usagef("want the name of a cache and nothing else; tokens are never arguments")
	}
	return nil
}

func (s *service) inspect(ctx context.Context, named string) error {
	in, err := s.inspection(ctx, named)
	if err != nil {
		return err
	}
	if err := s.printInspection(in); err != nil {
		return err
	}
	switch {
	case in.State == cachix.Unreachable:
		return fmt.Errorf("inspect cache %s: Cachix could not be reached, or gave no usable answer", in.Name)
	case !in.Settled():
		return fmt.Errorf("inspect cache %s: %s", in.Name, in.Summary())
	case fit(in):
		return nil
	}
	return errProblems
}

// fit reports whether all is well: the token is right for CI, or there is none and the cache can be read.
func fit(in cachix.Inspection) bool {
	return in.Serving != cachix.ServesNot && (in.FitForCI || in.Verdict == cachix.NoToken && in.State == cachix.Readable)
}

func (s *service) inspection(ctx context.Context, named string) (cachix.Inspection, error) {
	known, err := s.settings()
	if err != nil {
		return cachix.Inspection{}, err
	}
	name, err := s.cacheName(known, named)
	if err != nil {
		return cachix.Inspection{}, err
	}
	if name == "" {
		return cachix.Inspection{}, usagef("no Cachix cache is known: give its name, set cache.name in the settings, or " + nameVariable)
	}
	token, err := s.token(ctx)
	if err != nil {
		return cachix.Inspection{}, err
	}
	show, done := s.progress()
	defer done()
	return s.client(token, show).Inspect(ctx, name)
}

func (o *options) printInspection(in cachix.Inspection) error {
	switch o.format {
	case "json":
		return o.printJSON(in)
	case "github":
		return diag.Annotations(o.stdout, inspectionDiagnostics(in))
	}
	line := func(title, text string) {
		if text != "" {
			fmt.Fprintf(o.stdout, "%-8s %s\n", title, diag.Printable(text))
		}
	}
	line("cache", describeCache(in))
	if in.Cache != nil {
		line("url", in.Cache.URI)
		line("keys", strings.Join(in.Cache.PublicSigningKeys, " "))
		line("nix", servingText(in.Serving))
	}
	line("token", fmt.Sprintf("%s: %s", in.Verdict, in.Summary()))
	printList(o.stdout, "how this is known", in.Established)
	for _, warning := range in.Warnings {
		fmt.Fprintf(o.stderr, "warning: %s\n", diag.Printable(warning))
	}
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
	case cachix.Missing:
		return in.Name + ", which does not exist"
	}
	return in.Name + ", of which nothing could be learnt"
}

func servingText(serving cachix.Serving) string {
	switch serving {
	case cachix.Serves:
		return "is served"
	case cachix.WantsLogin:
		return "is served with credentials"
	case cachix.ServesNot:
		return "is not served"
	}
	return "was not tried"
}

// inspectionDiagnostics says the same as findings. A cache has no file.
func inspectionDiagnostics(in cachix.Inspection) diag.List {
	var list diag.List
	for _, warning := range in.Warnings {
		list.Warnf(diag.Pos{}, "cache-inspect", "", "%s", diag.Printable(warning))
	}
	if !in.Settled() || !fit(in) {
		list.Errorf(diag.Pos{}, "cache-inspect", diag.Printable(strings.Join(in.Next, "; ")), "%s; %s", describeCache(in), in.Summary())
	}
	return list
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/cachix"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/cmd/internal/secretsource"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/settings"
)

// The environment variables of the cache commands. The name of a cache is only ever read from this variable, whatever
// name-variable says: a repository must not choose which variable ends up in a host name.
const (
	nameVariable  = "CACHIX_CACHE_NAME"
	tokenVariable = "CACHIX_AUTH_TOKEN"
	apiVariable   = "GARNIX2GHA_CACHIX_API"
)

func newCache(o *options) *cobra.Command {
	s := &service{options: o}
	command := &cobra.Command{
		Use:   "cache",
		Short: "Verify, inspect or create the binary cache",
		Long: `Verify what the binary cache holds, inspect what it is and what a token can do, or create it.

A token is never given as an argument: it is read from CACHIX_AUTH_TOKEN, or from where
--token-from says. A Cachix server of your own is named in GARNIX2GHA_CACHIX_API, for example
https://cachix.example.org/api/v1.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.PersistentFlags().StringVar(&s.api, "api", "", "address of a Cachix API other than the hosted one")
	// The error is for a flag that does not exist.
	_ = command.PersistentFlags().MarkHidden("api")
	command.AddCommand(newCacheVerify(s), newCacheInspect(s), newCacheCreate(s))
	return command
}

// service is Cachix as the command line names it.
type service struct {
	*options
	api       string // "" leaves it to the environment
	tokenFrom string // "" leaves it to the environment
}

// tokenFlags are the flags of commands that take a token.
func (s *service) tokenFlags(command *cobra.Command) {
	command.Flags().StringVar(&s.tokenFrom, "token-from", "",
		"where the token is: "+secretsource.Forms+" (default env:"+tokenVariable+")")
}

// token reads the token; none is no error.
func (s *service) token(ctx context.Context) (secretsource.Value, error) {
	if s.tokenFrom == "" {
		return secretsource.NewValue(strings.TrimSpace(s.getenv(tokenVariable))), nil
	}
	source, err := secretsource.ParseSource(s.tokenFrom)
	if err != nil {
		return secretsource.Value{}, usagef("--token-from: %w", err)
	}
	return s.reader().Read(ctx, source)
}

// reader reads secrets as this process sees them.
func (o *options) reader() secretsource.Reader {
	lookup := func(name string) (string, bool) {
		text := o.getenv(name)
		return text, text != ""
	}
	return secretsource.Reader{LookupEnv: lookup, Stdin: o.stdin, Stderr: o.stderr}
}

// client is Cachix's API; show is told of waits and may be nil.
func (s *service) client(token secretsource.Value, show func(string)) cachix.Client {
	caller := s.caller(show)
	caller.BaseURL, caller.Token = s.base(), token
	return cachix.New(caller)
}

// caller is how anybody is called; show is told of waits and may be nil.
func (o *options) caller(show func(string)) restapi.Caller {
	return restapi.Caller{Sleep: o.sleep, Waiting: waiting(show)}
}

// base is the address of the API; "" is the hosted one.
func (s *service) base() string {
	if s.api != "" {
		return s.api
	}
	return s.getenv(apiVariable)
}

// waiting makes of what shows progress what is told of waits.
func waiting(show func(string)) func(time.Duration, string) {
	if show == nil {
		return nil
	}
	return func(wait time.Duration, why string) {
		show(fmt.Sprintf("%s; asking again in %s", why, wait.Round(time.Second)))
	}
}

// settings reads the repository's settings and nothing else of it. Outside of a repository the defaults hold.
func (o *options) settings() (*settings.Settings, error) {
	r, _, err := o.open()
	if errors.Is(err, repo.ErrNoRoot) {
		return settings.Default(), nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return o.settingsOf(r)
}

func (o *options) settingsOf(r *repo.Repo) (*settings.Settings, error) {
	content, err := r.Read(repo.SettingsFile)
	if err != nil {
		return nil, err
	}
	s, found := settings.Parse(repo.SettingsFile, content)
	if s == nil {
		if err := o.printDiagnostics(found); err != nil {
			return nil, err
		}
		return nil, errProblems
	}
	return s, o.printWarnings(found)
}

// cacheName is the Cachix cache that is meant: the one named, else the settings', else the environment's; "" is none.
func (o *options) cacheName(s *settings.Settings, named string) (string, error) {
	backend, ok := s.Cache.Backend.(settings.Cachix)
	name := named
	switch {
	case named != "" || !ok:
	case backend.Name != "":
		return backend.Name, nil
	default:
		name = strings.TrimSpace(o.getenv(nameVariable))
	}
	// The text is not repeated: it may be a token.
	if name != "" && !hostLabel.MatchString(name) {
		return "", usagef("that is no name of a Cachix cache: names have lower-case letters, digits and dashes, 63 at most")
	}
	return name, nil
}

// hostLabel is what the name of a Cachix cache must be, since it becomes a part of a host's name.
var hostLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// problem prints an error that is the user's to fix, so that the exit code says so.
func (o *options) problem(err error) error {
	fmt.Fprintf(o.stderr, "garnix2gha: %s\n", err)
	return errProblems
}

// printList prints a title and lines below it, or nothing without lines.
func printList(w io.Writer, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintln(w, title)
	for _, line := range lines {
		fmt.Fprintf(w, "  %s\n", diag.Printable(line))
	}
}

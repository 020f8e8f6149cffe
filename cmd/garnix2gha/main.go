// Command garnix2gha turns a repository's garnix.yaml into GitHub Actions workflows.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/diag"
)

func main() {
	// A run lives for milliseconds: collecting garbage as eagerly as a server would is a third of its time. The limit
	// keeps a large flake below 200 MB all the same.
	debug.SetGCPercent(800)
	debug.SetMemoryLimit(150 << 20)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], environment{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv}))
}

// Exit codes.
const (
	exitFine     = 0
	exitProblems = 1 // invalid configuration, stale workflow, missing path
	exitUsage    = 2 // wrong arguments
	exitFailure  = 3 // the work could not be done: I/O, nix, network
	exitStopped  = 130
)

// environment is everything the program takes from its process.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	sleep          func(context.Context, time.Duration) error // before a busy server is asked again; nil really sleeps
}

// errProblems ends a command whose findings have been printed already.
var errProblems = errors.New("problems found")

type usageError struct {
	error
	meant bool // it tells what was meant, so that nobody need look it up
}

func usagef(format string, args ...any) error { return usageError{error: fmt.Errorf(format, args...)} }

// unknown refuses a word that stands for nothing, and tells what was meant.
func unknown(kind, word, meant string) error {
	return usageError{fmt.Errorf("unknown %s %q; did you mean %q?", kind, word, meant), true}
}

// run is the program: it returns the exit code.
func run(ctx context.Context, args []string, env environment) int {
	printed := &results{Writer: env.stdout}
	env.stdin, env.stdout = stoppable{ctx, env.stdin}, printed
	o := &options{environment: env}
	root := newRoot(o)
	root.SetArgs(args)
	root.SetOut(env.stdout)
	root.SetErr(env.stderr)
	var command *cobra.Command
	var err error
	if !bounded(ctx, grace, func() { command, err = root.ExecuteContextC(ctx) }) {
		fmt.Fprintln(env.stderr, "garnix2gha: interrupted")
		return exitStopped
	}
	var usage usageError
	switch {
	case printed.err != nil:
		err = printed.err
	case err == nil:
		return exitFine
	case ctx.Err() != nil:
		fmt.Fprintf(env.stderr, "garnix2gha: interrupted%s\n", o.changed())
		return exitStopped
	case errors.Is(err, errProblems):
		return exitProblems
	case errors.As(err, &usage):
		if command.Name() == "help" { // which has nothing to tell about itself
			command = root
		}
		fmt.Fprintf(env.stderr, "garnix2gha: %s\n", message(err))
		if !usage.meant {
			fmt.Fprintf(env.stderr, "hint: run \"%s --help\"\n", command.CommandPath())
		}
		return exitUsage
	}
	fmt.Fprintf(env.stderr, "garnix2gha: %s\n", message(err))
	return exitFailure
}

func newRoot(o *options) *cobra.Command {
	root := &cobra.Command{
		Use:           "garnix2gha",
		Version:       buildVersion(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return o.start(cmd.Context()) },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{error: err} })
	flags := root.PersistentFlags()
	flags.StringVarP(&o.dir, "directory", "C", "", "a folder of the repository")
	flags.StringVar(&o.config, "config", "", "a garnix.yaml elsewhere")
	flags.StringVar(&o.format, "format", "text", "how results are printed")
	// These fail only for a flag that does not exist, which the completions' test would find.
	_ = root.MarkPersistentFlagDirname("directory")
	_ = root.MarkPersistentFlagFilename("config", "yaml", "yml")
	_ = root.RegisterFlagCompletionFunc("format", func(command *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return formats(command), cobra.ShellCompDirectiveNoFileComp
	})
	root.PersistentPreRunE = func(command *cobra.Command, _ []string) error {
		if known := formats(command); !slices.Contains(known, o.format) {
			return usagef("--format %q: %s prints %s", o.format, command.CommandPath(), diag.Enumerate(known, "or"))
		}
		return nil
	}
	for _, group := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Convert:", []*cobra.Command{o.command("report", o.report), newGenerate(o), newTargets(o), newInit(o)}},
		{"Keep current:", []*cobra.Command{newCheck(o), newLint(o), newExplain(o), newSnapshot(o), newPins(o)}},
		{"Cache:", []*cobra.Command{newCache(o), newSecrets(o)}},
		{"Leave garnix, or this program:", []*cobra.Command{newRequiredCheck(o), newLeftovers(o), newRetire(o), o.command("eject", o.eject)}},
		{"Other:", []*cobra.Command{newSchema(o), newVersion(o), newMan(root)}},
	} {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, command := range group.commands {
			command.GroupID = group.title
		}
		root.AddCommand(group.commands...)
		root.SetHelpCommandGroupID(group.title) // the last one's
		root.SetCompletionCommandGroupID(group.title)
	}
	root.SetVersionTemplate(buildLine())
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	addPages(root)
	fill(root)
	return root
}

// command is one that works on the repository.
func (o *options) command(use string, do func(context.Context, *repo.Repo) error) *cobra.Command {
	return &cobra.Command{Use: use, RunE: func(command *cobra.Command, _ []string) error {
		return o.within(func(r *repo.Repo) error { return do(command.Context(), r) })
	}}
}

// fill adds the rest: commands take no arguments, one that groups others shows its help, and a page ends with the formats.
func fill(command *cobra.Command) {
	command.SuggestionsMinimumDistance = 2
	switch {
	case command.Name() == "help":
		command.Args = func(command *cobra.Command, args []string) error {
			about, rest, err := command.Root().Find(args)
			return cmp.Or(err, noArguments(about, rest))
		}
	case command.Args == nil, command.HasSubCommands(), command.Parent().Name() == "completion": // whose errors are untyped
		command.Args = noArguments
	}
	if command.ValidArgs == nil && command.ValidArgsFunction == nil {
		command.ValidArgsFunction = cobra.NoFileCompletions
	}
	if command.RunE == nil && command.Run == nil {
		command.RunE = func(command *cobra.Command, _ []string) error { return command.Help() }
	}
	if known := formats(command); command.HasParent() && len(known) > 1 {
		command.Long += "\n\nFormats: " + diag.Enumerate(known, "or")
	}
	for _, child := range command.Commands() {
		fill(child)
	}
}

// noArguments refuses arguments; one that should be a command is told which is meant.
func noArguments(command *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case !command.HasSubCommands():
		return usagef("unexpected argument %q", args[0])
	}
	if meant := command.SuggestionsFor(args[0]); len(meant) > 0 {
		return unknown("command", args[0], command.CommandPath()+" "+meant[0])
	}
	return usagef("unknown command %q", args[0])
}

// arguments wants one argument, or least, and says what it is. What is too much is not repeated: it may be a token.
func arguments(least int, want string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < least || len(args) > 1 {
			return usagef("want %s", want)
		}
		return nil
	}
}

// grace is what work that cannot look at its context, such as an overlay without end, has left to end in.
const grace = 5 * time.Second

// bounded does work, and once the context has ended waits for it no longer than it is patient. Work that is not done then
// goes on alone, as it may in a process that ends, and what it sets is not to be looked at.
func bounded(ctx context.Context, patience time.Duration, work func()) (done bool) {
	ended := make(chan struct{})
	go func() {
		work()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
	}
	select {
	case <-ended:
		return true
	case <-time.After(patience):
		return false
	}
}

// stoppable reads until its context ends.
type stoppable struct {
	ctx context.Context
	io.Reader
}

func (s stoppable) Read(p []byte) (int, error) {
	own := make([]byte, len(p))
	var n int
	var err error
	if !bounded(s.ctx, 0, func() { n, err = s.Reader.Read(own) }) {
		return 0, s.ctx.Err()
	}
	return copy(p, own[:n]), err
}

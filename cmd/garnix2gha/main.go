// Command garnix2gha turns a repository's garnix.yaml into GitHub Actions workflows.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func main() {
	// A run lives for milliseconds: collecting garbage as eagerly as a server would is a third of its time. The limit
	// keeps a large flake below 200 MB all the same.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(150 << 20)
	os.Exit(process())
}

// process runs the program on this process's arguments and streams.
func process() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// Work that cannot look at the context, such as an overlay without end, is given a moment and then cut off.
	context.AfterFunc(ctx, func() {
		stop()
		time.Sleep(5 * time.Second)
		os.Exit(exitStopped)
	})
	return run(ctx, os.Args[1:], environment{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv})
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

// usageError is a mistake on the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run is the program: it returns the exit code.
func run(ctx context.Context, args []string, env environment) int {
	root := newRoot(env)
	root.SetArgs(args)
	root.SetIn(env.stdin)
	root.SetOut(env.stdout)
	root.SetErr(env.stderr)
	command, err := root.ExecuteContextC(ctx)
	var usage usageError
	switch {
	case err == nil:
		return exitFine
	case ctx.Err() != nil:
		fmt.Fprintln(env.stderr, "garnix2gha: interrupted")
		return exitStopped
	case errors.Is(err, errProblems):
		return exitProblems
	case errors.As(err, &usage) || isCobraUsage(err):
		fmt.Fprintf(env.stderr, "garnix2gha: %s\nhint: run \"%s --help\"\n", err, command.CommandPath())
		return exitUsage
	}
	fmt.Fprintf(env.stderr, "garnix2gha: %s\n", err)
	return exitFailure
}

// isCobraUsage recognises the errors cobra gives untyped.
func isCobraUsage(err error) bool {
	return slices.ContainsFunc([]string{"unknown command", "required flag", "if any flags in the group"}, func(start string) bool {
		return strings.HasPrefix(err.Error(), start)
	})
}

func newRoot(env environment) *cobra.Command {
	o := &options{environment: env}
	root := &cobra.Command{
		Use:   "garnix2gha",
		Short: "Turn garnix.yaml into GitHub Actions workflows",
		Long: `garnix2gha reads a repository's garnix.yaml and writes GitHub Actions workflows that
build what garnix built, push it to a binary cache you own, and verify that the
cache holds it.

Start with:
  garnix2gha report              what will be carried over, and what is left to do
  garnix2gha generate --dry-run  the workflows, as a diff
  garnix2gha generate            write them

Exit codes: 0 fine, 1 problems found, 2 wrong usage, 3 the work could not be done, 130 interrupted.`,
		Version:       buildVersion(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	flags := root.PersistentFlags()
	flags.StringVarP(&o.dir, "directory", "C", "", "a folder of the repository; its root is git's, or else the first folder upwards with flake.nix or garnix.yaml")
	flags.StringVar(&o.config, "config", "", "a garnix.yaml elsewhere")
	flags.StringVar(&o.format, "format", "text", "text or json; github (annotations) and sarif where findings are printed; markdown of report")
	root.PersistentPreRunE = func(command *cobra.Command, _ []string) error { return o.validate(command) }
	root.AddCommand(
		newGenerate(o), newCheck(o), newTargets(o), newReport(o), newLint(o), newInit(o), newSchema(o), newPins(o), newEject(o), newSnapshot(o), newCache(o), newSecrets(o),
		newRequiredCheck(o), newLeftovers(o), newRetire(o), newExplain(o), newVersion(o), newMan(root),
	)
	root.SetVersionTemplate(buildLine())
	completeValues(root)
	fill(root)
	return root
}

// fill gives the commands what they do not say themselves: they take no arguments, and one that only groups others
// shows its help.
func fill(command *cobra.Command) {
	if command.Args == nil {
		command.Args = func(command *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return nil
			case command.HasSubCommands():
				return usagef("unknown command %q", args[0])
			}
			return usagef("unexpected argument %q", args[0])
		}
	}
	if command.ValidArgs == nil && command.ValidArgsFunction == nil {
		command.ValidArgsFunction = cobra.NoFileCompletions
	}
	if command.RunE == nil && command.Run == nil {
		command.RunE = func(command *cobra.Command, _ []string) error { return command.Help() }
	}
	for _, child := range command.Commands() {
		fill(child)
	}
}

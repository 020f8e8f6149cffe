// What the program tells about itself: its version, its help, and its manual.

package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/cobra"
)

// version is set by builds that the go command cannot read git for: go build -ldflags "-X main.version=v1.2.3".
var version string

// homepage is set by releases to the address of the repository on GitHub, where the codes of findings then link to.
var homepage string

// buildVersion returns the version of this build, without spaces: what the linker was told, else what the go command
// read from git ("v1.2.3", or "v0.0.0-TIME-COMMIT" between tags, each with "+dirty" after a change), else "devel".
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

func buildLine() string {
	return fmt.Sprintf("garnix2gha %s (%s, %s/%s)\n", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func newVersion(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "version",
		RunE: func(*cobra.Command, []string) error {
			if o.format == "json" {
				return o.printJSON(map[string]string{
					"version": buildVersion(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
				})
			}
			_, err := fmt.Fprint(o.stdout, buildLine())
			return err
		},
	}
}

// pages tell what each command is for, in a line, what it does and, behind "$ ", how it is called.
//
//go:embed help.txtar
var pages []byte

// addPages gives each command its page, and a group the examples of what it groups as well.
func addPages(root *cobra.Command) {
	for _, page := range txtar.Parse(pages).Files {
		command, _, _ := root.Find(strings.Fields(page.Name)[1:]) // a test holds that there is one
		short, text, _ := strings.Cut(string(page.Data), "\n")
		var long strings.Builder
		for line := range strings.Lines(text) {
			example, ok := strings.CutPrefix(line, "$ ")
			if !ok {
				long.WriteString(line)
				continue
			}
			for at := command; at != root; at = at.Parent() {
				at.Example = strings.TrimLeft(at.Example+"\n  "+strings.TrimSpace(example), "\n")
			}
		}
		command.Short, command.Long = short, strings.TrimSpace(long.String())
	}
}

func newMan(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:               "man DIR",
		Hidden:            true, // for packagers
		Args:              arguments(1, "one folder"),
		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			return writeManual(root, args[0])
		},
	}
}

// writeManual writes the page of a command and of those below it. They hold no date: the same program writes the same.
func writeManual(command *cobra.Command, dir string) error {
	// Cobra adds these when a command runs, and only to that one.
	command.InitDefaultHelpFlag()
	command.InitDefaultVersionFlag()
	if err := os.WriteFile(filepath.Join(dir, manualName(command)+".1"), manual(command), 0o644); err != nil {
		return err
	}
	for _, child := range command.Commands() {
		if child.IsAvailableCommand() && child.Name() != "help" {
			if err := writeManual(child, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

func manualName(command *cobra.Command) string {
	return strings.ReplaceAll(command.CommandPath(), " ", "-")
}

// manual is the page of one command: its help in the sections that man readers know.
func manual(command *cobra.Command) []byte {
	page := fmt.Appendf(nil, ".TH %s 1 \"\" \"garnix2gha %s\"\n.na\n.nh\n", roff(strings.ToUpper(manualName(command))), roff(buildVersion()))
	section := func(title, text string) {
		if text = strings.TrimRight(text, "\n"); text != "" {
			page = fmt.Appendf(page, ".SH %s\n%s\n", title, roff(text))
		}
	}
	section("NAME", manualName(command)+" - "+command.Short)
	section("SYNOPSIS", command.UseLine())
	section("DESCRIPTION", command.Long)
	section("EXAMPLES", command.Example)
	section("OPTIONS", command.NonInheritedFlags().FlagUsages())
	section("OPTIONS OF EVERY COMMAND", command.InheritedFlags().FlagUsages())
	var commands strings.Builder
	for _, child := range command.Commands() {
		if child.IsAvailableCommand() {
			fmt.Fprintf(&commands, "  %s: %s\n", child.Name(), child.Short)
		}
	}
	section("COMMANDS", commands.String())
	return page
}

// roff makes text say itself: paragraphs are filled, and a line that starts with a blank is one of its own.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	return strings.ReplaceAll("\n"+text, "\n.", "\n\\&.")[1:]
}

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func newMan(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages into a folder",
		Hidden: true, // for packagers
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("want one folder")
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
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
	for _, child := range manualChildren(command) {
		if err := writeManual(child, dir); err != nil {
			return err
		}
	}
	return nil
}

func manualChildren(command *cobra.Command) []*cobra.Command {
	var children []*cobra.Command
	for _, child := range command.Commands() {
		if child.IsAvailableCommand() && child.Name() != "help" {
			children = append(children, child)
		}
	}
	return children
}

func manualName(command *cobra.Command) string {
	return strings.ReplaceAll(command.CommandPath(), " ", "-")
}

// manual is the page of one command, in roff.
func manual(command *cobra.Command) []byte {
	var page bytes.Buffer
	section := func(title, body string) {
		if body != "" {
			fmt.Fprintf(&page, ".SH %s\n%s", title, body)
		}
	}
	fmt.Fprintf(&page, ".TH %s 1 \"\" \"garnix2gha %s\"\n", roff(strings.ToUpper(manualName(command))), roff(buildVersion()))
	section("NAME", roff(manualName(command)+" - "+command.Short)+"\n")
	section("SYNOPSIS", roff(command.UseLine())+"\n")
	section("DESCRIPTION", roffText(command.Long))
	section("EXAMPLES", roffAsTyped(command.Example))
	section("OPTIONS", roffAsTyped(command.NonInheritedFlags().FlagUsagesWrapped(80)))
	section("OPTIONS OF EVERY COMMAND", roffAsTyped(command.InheritedFlags().FlagUsagesWrapped(80)))
	var commands, seeAlso strings.Builder
	if parent := command.Parent(); parent != nil {
		fmt.Fprintf(&seeAlso, ".BR %s (1)\n", roff(manualName(parent)))
	}
	for _, child := range manualChildren(command) {
		fmt.Fprintf(&commands, ".TP\n.BR %s (1)\n%s\n", roff(manualName(child)), roff(child.Short))
	}
	section("COMMANDS", commands.String())
	section("SEE ALSO", seeAlso.String())
	return page.Bytes()
}

// roff makes a line of text say itself.
func roff(line string) string {
	line = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(line)
	if strings.HasPrefix(line, ".") {
		line = `\&` + line
	}
	return line
}

// roffText fills paragraphs and leaves indented lines as they are typed.
func roffText(text string) string {
	var out, typed strings.Builder
	flush := func() {
		out.WriteString(roffAsTyped(typed.String()))
		typed.Reset()
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, " ") {
			typed.WriteString(line + "\n")
			continue
		}
		flush()
		if line == "" {
			line = ".PP"
		} else {
			line = roff(line)
		}
		out.WriteString(line + "\n")
	}
	flush()
	return out.String()
}

// roffAsTyped keeps every line of the text.
func roffAsTyped(text string) string {
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return ""
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = roff(line)
	}
	return ".nf\n" + strings.Join(lines, "\n") + "\n.fi\n"
}

package main

import "github.com/spf13/cobra"

// completeValues lets shells complete what the flags of every command take, and offer no files where none is taken.
func completeValues(root *cobra.Command) {
	for flag, values := range map[string]cobra.CompletionFunc{
		"format":    cobra.FixedCompletions([]string{"text", "json", "github"}, cobra.ShellCompDirectiveNoFileComp),
		"directory": cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs),
		"config":    cobra.FixedCompletions([]string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt),
	} {
		// It fails only for a flag that does not exist, which the completions' test would find.
		_ = root.RegisterFlagCompletionFunc(flag, values)
	}
	completeArguments(root)
}

func completeArguments(command *cobra.Command) {
	if command.ValidArgs == nil && command.ValidArgsFunction == nil {
		command.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, child := range command.Commands() {
		completeArguments(child)
	}
}

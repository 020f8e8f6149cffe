package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by builds that the go command cannot read git for: go build -ldflags "-X main.version=v1.2.3".
var version string

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

// buildLine is the version as people are told it.
func buildLine() string {
	return fmt.Sprintf("garnix2gha %s (%s, %s/%s)\n", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func newVersion(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  noArgs,
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

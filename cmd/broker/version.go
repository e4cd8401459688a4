package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by a release: go build -ldflags "-X main.version=v1.2.3".
var version string

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say what this program is",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(c.OutOrStdout(), "gatehouse broker %s (%s %s/%s)\n", currentVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// currentVersion is what this program is.
func currentVersion() string {
	build, _ := debug.ReadBuildInfo()
	return versionOf(version, build)
}

// versionOf names the release; without one the module's version; without that the commit, and whether the tree it was
// built from had changes of its own.
func versionOf(release string, build *debug.BuildInfo) string {
	if release != "" || build == nil {
		return cmp.Or(release, "of unknown origin")
	}
	var revision, changed string
	for _, s := range build.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " with local changes"
		}
	}
	if v := build.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	if revision == "" {
		return "development build"
	}
	return "commit " + revision + changed
}

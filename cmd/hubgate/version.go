package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set at the release build: -ldflags "-X main.version=v1.2.3".
var version = ""

// buildInfo is what was built.
type buildInfo struct {
	Version   string `json:"version"`
	Revision  string `json:"revision"`
	GoVersion string `json:"go_version"`
	Platform  string `json:"platform"`
}

func readBuildInfo() buildInfo {
	b := buildInfo{Version: version, Revision: "unknown", GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		if b.Version == "" {
			b.Version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				b.Revision = s.Value
			}
		}
	}
	if b.Version == "" || b.Version == "(devel)" {
		b.Version = "development"
	}
	return b
}

// String is what version and --version print.
func (b buildInfo) String() string {
	return fmt.Sprintf("hubgate %s (revision %s, %s, %s)", b.Version, b.Revision, b.GoVersion, b.Platform)
}

func versionCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say what this is", Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			b := readBuildInfo()
			if e.output == "json" {
				return e.printJSON(b)
			}
			_, err := fmt.Fprintln(e.stdout, b)
			return err
		},
	}
}

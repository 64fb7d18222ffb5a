package buildinfo

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by release builds: -ldflags "-X github.com/hubgate/hubgate/internal/buildinfo.version=v1.2.3".
var version = ""

// Info identifies a build.
type Info struct {
	Version   string `json:"version"`
	Revision  string `json:"revision"`
	GoVersion string `json:"go_version"`
	Platform  string `json:"platform"`
}

// Read returns the build of this process. A build without a version is "development", one without a commit "unknown".
func Read() Info {
	b := Info{
		Version: version, Revision: "unknown", GoVersion: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
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

// String returns the line that version and --version print.
func (b Info) String() string {
	return fmt.Sprintf("hubgate %s (revision %s, %s, %s)", b.Version, b.Revision, b.GoVersion, b.Platform)
}

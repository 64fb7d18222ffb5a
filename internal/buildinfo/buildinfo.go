package buildinfo

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by builds without version control, such as those from a source archive:
// -ldflags "-X github.com/hubgate/hubgate/internal/buildinfo.version=v1.2.3". Other builds leave it empty: the Go
// toolchain records the version of the tag, or that of go install.
var version = ""

// Info identifies a build.
type Info struct {
	Version   string `json:"version"`
	Revision  string `json:"revision"`
	Dirty     bool   `json:"dirty"`
	GoVersion string `json:"go_version"`
	Platform  string `json:"platform"`
}

// Read returns the build of this process. A build without a version is "development", one without a commit "unknown".
// Dirty is true if the files differed from that commit.
func Read() Info {
	b := Info{Version: version, GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		if b.Version == "" && info.Main.Version != "(devel)" {
			b.Version = info.Main.Version
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Revision = s.Value
			case "vcs.modified":
				b.Dirty = s.Value == "true"
			}
		}
	}
	b.Version = cmp.Or(b.Version, "development")
	b.Revision = cmp.Or(b.Revision, "unknown")
	return b
}

// String returns the line that version and --version print.
func (b Info) String() string {
	dirty := ""
	if b.Dirty {
		dirty = " with local changes"
	}
	return fmt.Sprintf("hubgate %s (revision %s%s, %s, %s)", b.Version, b.Revision, dirty, b.GoVersion, b.Platform)
}

package config

import (
	"errors"
	"io/fs"
	"os"
)

// Without --config, the environment variable names the configuration file, or the working directory has it.
const (
	FileName = "hubgate.yaml"
	Variable = "HUBGATE_CONFIG"
)

// Location is a configuration file, and where its path comes from: --config, Variable or the working directory.
type Location struct{ Path, From string }

// Locate returns the configuration file to use: the one of the flag, else that of the environment, else the one in the
// working directory. It reports whether there is one; whether it can be read is found out by Load. It never looks in
// parent directories, where other users may write (untrusted search path, CWE-426).
func Locate(flag string, getenv func(string) string) (Location, bool) {
	if flag != "" {
		return Location{flag, "--config"}, true
	}
	if path := getenv(Variable); path != "" {
		return Location{path, Variable}, true
	}
	_, err := os.Stat(FileName)
	return Location{FileName, "the working directory"}, !errors.Is(err, fs.ErrNotExist)
}

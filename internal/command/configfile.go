package command

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/config"
)

// ConfigPath is the value of --config. It rejects an empty one, which is a shell variable that is not set: another file
// than the one that was meant would be found.
type ConfigPath string

func (p *ConfigPath) String() string { return string(*p) }
func (p *ConfigPath) Type() string   { return "string" }

func (p *ConfigPath) Set(text string) error {
	if text == "" {
		return errors.New("it is empty; write the path of the configuration file")
	}
	*p = ConfigPath(text)
	return nil
}

// ConfigFlag adds --config, which most commands have.
func ConfigFlag(cmd *cobra.Command, path *ConfigPath) {
	cmd.Flags().VarP(path, "config", "c", "configuration file (default: $HUBGATE_CONFIG, or ./hubgate.yaml)")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
}

// noConfigFile says what is missing if there is no configuration file.
const noConfigFile = "required: --config FILE, or HUBGATE_CONFIG, or hubgate.yaml in the working directory"

// ConfigFile returns the path of the configuration file, and says which one it is if --config does not.
func (e *Env) ConfigFile(flag ConfigPath) (string, error) {
	found, err := e.Locate(flag)
	if err != nil {
		return "", err
	}
	e.Announce(found)
	return found.Path, nil
}

func (e *Env) Locate(flag ConfigPath) (config.Location, error) {
	found, ok := config.Locate(string(flag), e.Getenv)
	if !ok {
		return found, UsageError(noConfigFile)
	}
	return found, nil
}

// Announce says which configuration file is used and why, unless the operator named it on the command line.
func (e *Env) Announce(found config.Location) {
	if found.From != "--config" {
		e.Say("using the configuration " + found.Path + " (from " + found.From + ")")
	}
}

// NoSecretsFlag adds --no-secrets to a command that can do without the values of secrets. The command serve does not
// have it.
func NoSecretsFlag(cmd *cobra.Command, noSecrets *bool, normally bool) {
	cmd.Flags().BoolVar(noSecrets, "no-secrets", normally,
		"accept secrets that are not here: variables that are not set, and files that cannot be read")
}

// Load loads a configuration, with or without its secrets.
func (e *Env) Load(path string, noSecrets bool) (*config.Config, *config.Report) {
	if noSecrets {
		return config.LoadWithoutSecrets(path, e.Getenv)
	}
	return config.Load(path, e.Getenv)
}

// MustLoad is load for a command that needs a configuration without mistakes.
func (e *Env) MustLoad(path string, noSecrets bool) (*config.Config, error) {
	cfg, rep := e.Load(path, noSecrets)
	e.ReportAbsent(rep)
	if rep.Failed() {
		return nil, &config.Error{Report: rep}
	}
	return cfg, nil
}

// ReportAbsent says which secrets were not checked.
func (e *Env) ReportAbsent(rep *config.Report) {
	if len(rep.Absent) > 0 {
		e.Say(rep.Path + ": these secrets are not here and were not checked: " + strings.Join(rep.Absent, ", "))
	}
}

// LoadConfig loads the configuration of a command that needs all of it, with its secrets.
func (e *Env) LoadConfig(flag ConfigPath) (*config.Config, error) {
	path, err := e.ConfigFile(flag)
	if err != nil {
		return nil, err
	}
	return e.MustLoad(path, false)
}

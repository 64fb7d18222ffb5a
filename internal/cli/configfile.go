package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/config"
)

// configPath is the value of --config. It rejects an empty one, which is a shell variable that is not set: another file
// than the one that was meant would be found.
type configPath string

func (p *configPath) String() string { return string(*p) }
func (p *configPath) Type() string   { return "string" }

func (p *configPath) Set(text string) error {
	if text == "" {
		return errors.New("it is empty; write the path of the configuration file")
	}
	*p = configPath(text)
	return nil
}

// configFlag adds --config, which most commands have.
func configFlag(cmd *cobra.Command, path *configPath) {
	cmd.Flags().VarP(path, "config", "c", "configuration file (default: $HUBGATE_CONFIG, or ./hubgate.yaml)")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
}

// noConfigFile says what is missing if there is no configuration file.
const noConfigFile = "required: --config FILE, or HUBGATE_CONFIG, or hubgate.yaml in the working directory"

// configFile returns the path of the configuration file, and says which one it is if --config does not.
func (e *env) configFile(flag configPath) (string, error) {
	found, err := e.locate(flag)
	if err != nil {
		return "", err
	}
	e.announce(found)
	return found.Path, nil
}

func (e *env) locate(flag configPath) (config.Location, error) {
	found, ok := config.Locate(string(flag), e.getenv)
	if !ok {
		return found, usageError(noConfigFile)
	}
	return found, nil
}

// announce says which configuration file is used and why, unless the operator named it on the command line.
func (e *env) announce(found config.Location) {
	if found.From != "--config" {
		e.say("using the configuration " + found.Path + " (from " + found.From + ")")
	}
}

// noSecretsFlag adds --no-secrets to a command that can do without the values of secrets. The command serve does not
// have it.
func noSecretsFlag(cmd *cobra.Command, noSecrets *bool, normally bool) {
	cmd.Flags().BoolVar(noSecrets, "no-secrets", normally,
		"accept secrets that are not here: variables that are not set, and files that cannot be read")
}

// load loads a configuration, with or without its secrets.
func (e *env) load(path string, noSecrets bool) (*config.Config, *config.Report) {
	if noSecrets {
		return config.LoadWithoutSecrets(path, e.getenv)
	}
	return config.Load(path, e.getenv)
}

// mustLoad is load for a command that needs a configuration without mistakes.
func (e *env) mustLoad(path string, noSecrets bool) (*config.Config, error) {
	cfg, rep := e.load(path, noSecrets)
	e.reportAbsent(rep)
	if rep.Failed() {
		return nil, &config.Error{Report: rep}
	}
	return cfg, nil
}

// reportAbsent says which secrets were not checked.
func (e *env) reportAbsent(rep *config.Report) {
	if len(rep.Absent) > 0 {
		e.say(rep.Path + ": these secrets are not here and were not checked: " + strings.Join(rep.Absent, ", "))
	}
}

// loadConfig loads the configuration of a command that needs all of it, with its secrets.
func (e *env) loadConfig(flag configPath) (*config.Config, error) {
	path, err := e.configFile(flag)
	if err != nil {
		return nil, err
	}
	return e.mustLoad(path, false)
}

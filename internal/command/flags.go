package command

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hubgate/hubgate/internal/setting"
)

// textOnly is the annotation of commands without a result for programs.
const textOnly = "text only"

// WithoutJSON makes a command refuse --output json, which would do nothing.
func WithoutJSON(cmd *cobra.Command) { cmd.Annotations = map[string]string{textOnly: ""} }

// CheckOutput checks --output.
func (e *Env) CheckOutput(cmd *cobra.Command) error {
	if e.Output != "text" && e.Output != "json" {
		return UsageError(fmt.Sprintf("--output must be text or json, not %q", setting.Shorten(e.Output)))
	}
	if _, only := cmd.Annotations[textOnly]; only && e.Output == "json" {
		return UsageError(cmd.CommandPath() + " has no JSON output; leave --output out")
	}
	return nil
}

// AsksJSON reports whether arguments have --output json, wherever it stands.
func AsksJSON(args []string) bool {
	for i, arg := range args {
		if slices.Contains([]string{"-ojson", "-o=json", "--output=json"}, arg) {
			return true
		}
		if arg == "--" {
			return false
		}
		if (arg == "-o" || arg == "--output") && i+1 < len(args) && args[i+1] == "json" {
			return true
		}
	}
	return false
}

// FlagMistake says what is wrong with a flag, in the words of other usage errors.
func FlagMistake(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		return UsageError(unknownFlag(cmd, unknown))
	case errors.As(err, &missing):
		return UsageError("--" + missing.GetFlag().Name + ": required: a value")
	case errors.As(err, &invalid):
		return UsageError(invalidFlag(invalid))
	}
	return UsageError(err.Error())
}

func unknownFlag(cmd *cobra.Command, unknown *pflag.NotExistError) string {
	if unknown.GetSpecifiedShortnames() != "" {
		return "unknown flag: -" + setting.Shorten(unknown.GetSpecifiedName())
	}
	name := unknown.GetSpecifiedName()
	text := "unknown flag: --" + setting.Shorten(name)
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := setting.Nearest(name, names); near != "" {
		text += "; did you mean --" + near + "?"
	}
	return text
}

// invalidFlag names what the value of a flag must be. Flags with a type of their own say it themselves.
func invalidFlag(invalid *pflag.InvalidValueError) string {
	flag, text := "--"+invalid.GetFlag().Name, ": "+setting.Quote(invalid.GetValue())
	switch invalid.GetFlag().Value.Type() {
	case "int":
		return flag + text + " is not a whole number"
	case "bool":
		return flag + text + " is neither true nor false; write " + flag + ", or " + flag + "=false"
	case "stringSlice":
		return flag + text + " is not a list; write a,b"
	}
	return flag + ": " + errors.Unwrap(invalid).Error()
}

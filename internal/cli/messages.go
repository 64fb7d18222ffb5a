package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/internal/site"
)

// Messages go to stderr. With --output json each is a JSON object in a line of its own, so that programs can read them:
// {"message"} and {"progress"} while the command runs, and {"error"} at its end.

// say prints a message to the operator.
func (e *env) say(text string) {
	if e.output == "json" {
		e.message(map[string]string{"message": text})
		return
	}
	fprintf(e.stderr, "hubgate: %s\n", text)
}

// reportProgress prints how far the command is.
func (e *env) reportProgress(text string) {
	if e.output == "json" {
		e.message(map[string]string{"progress": text})
		return
	}
	fprintln(e.stderr, text)
}

// message prints an object in a line.
func (e *env) message(v any) {
	encoded, _ := encodeJSON(v, "") // texts and numbers only
	_, _ = e.stderr.Write(encoded)
}

// failure is the error that ends a command.
type failure struct {
	Error    string        `json:"error"`
	Help     string        `json:"help,omitempty"`     // the command that explains the usage
	Problems []problemJSON `json:"problems,omitempty"` // of a configuration
	Status   int           `json:"exit_status"`
}

// exit prints a command's error and returns the exit status.
func (e *env) exit(cmd *cobra.Command, err error) int {
	var silent silentError
	if err == nil {
		return exitOK
	}
	if errors.As(err, &silent) {
		return int(silent)
	}
	f := failureOf(cmd, err)
	switch {
	case e.output == "json":
		e.message(f)
	case len(f.Problems) > 0:
		fprintln(e.stderr, lines(err.Error()))
	default:
		fprintf(e.stderr, "hubgate: %s\n", lines(f.Error))
		if f.Help != "" {
			fprintf(e.stderr, "Run \"%s\" for usage.\n", f.Help)
		}
	}
	return f.Status
}

// failureOf returns what an error says, and the exit status.
func failureOf(cmd *cobra.Command, err error) failure {
	f := failure{Error: err.Error(), Status: exitFailed}
	var usage usageError
	var input inputError
	var bad *config.Error
	switch {
	case errors.As(err, &bad):
		errors := setting.Count(bad.Report.Errors(), "error")
		f.Error, f.Problems, f.Status = bad.Report.Path+": "+errors, problemsJSON(bad.Report), ExitUsage
	case errors.As(err, &input), errors.Is(err, site.ErrNoToken):
		f.Status = ExitUsage
	case errors.As(err, &usage):
		f.Help, f.Status = cmd.CommandPath()+" --help", ExitUsage
	}
	return f
}

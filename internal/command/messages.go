package command

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/internal/site"
)

// Messages go to stderr. With --output json each is a JSON object in a line of its own, so that programs can read them:
// {"message"} and {"progress"} while the command runs, and {"error"} at its end.

// Say prints a message to the operator.
func (e *Env) Say(text string) {
	if e.Output == "json" {
		e.message(map[string]string{"message": text})
		return
	}
	Fprintf(e.Stderr, "hubgate: %s\n", text)
}

// ReportProgress prints how far the command is.
func (e *Env) ReportProgress(text string) {
	if e.Output == "json" {
		e.message(map[string]string{"progress": text})
		return
	}
	Fprintln(e.Stderr, text)
}

// message prints an object in a line.
func (e *Env) message(v any) {
	encoded, _ := EncodeJSON(v, "") // texts and numbers only
	_, _ = e.Stderr.Write(encoded)
}

// failure is the error that ends a command.
type failure struct {
	Error    string        `json:"error"`
	Help     string        `json:"help,omitempty"`     // the command that explains the usage
	Problems []ProblemJSON `json:"problems,omitempty"` // of a configuration
	Status   int           `json:"exit_status"`
}

// Exit prints a command's error and returns the exit status.
func (e *Env) Exit(cmd *cobra.Command, err error) int {
	var silent SilentError
	if err == nil {
		return ExitOK
	}
	if errors.As(err, &silent) {
		return int(silent)
	}
	f := failureOf(cmd, err)
	switch {
	case e.Output == "json":
		e.message(f)
	case len(f.Problems) > 0:
		Fprintln(e.Stderr, Lines(err.Error()))
	default:
		Fprintf(e.Stderr, "hubgate: %s\n", Lines(f.Error))
		if f.Help != "" {
			Fprintf(e.Stderr, "Run \"%s\" for usage.\n", f.Help)
		}
	}
	return f.Status
}

// failureOf returns what an error says, and the exit status.
func failureOf(cmd *cobra.Command, err error) failure {
	f := failure{Error: err.Error(), Status: ExitFailed}
	var usage UsageError
	var input InputError
	var bad *config.Error
	switch {
	case errors.As(err, &bad):
		errors := setting.Count(bad.Report.Errors(), "error")
		f.Error, f.Problems, f.Status = bad.Report.Path+": "+errors, ProblemsJSON(bad.Report), ExitUsage
	case errors.As(err, &input), errors.Is(err, site.ErrNoToken):
		f.Status = ExitUsage
	case errors.As(err, &usage):
		f.Help, f.Status = cmd.CommandPath()+" --help", ExitUsage
	}
	return f
}

type ProblemJSON struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Level   string `json:"level"`
	Key     string `json:"key,omitempty"`
	Problem string `json:"problem"`
	Cure    string `json:"cure,omitempty"`
}

func ProblemsJSON(rep *config.Report) []ProblemJSON {
	problems := []ProblemJSON{}
	for _, f := range rep.Findings {
		level := "error"
		if f.Warning {
			level = "warning"
		}
		problems = append(problems, ProblemJSON{f.Line, f.Col, level, f.Key, f.Text, f.Cure})
	}
	return problems
}

package cli

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/starter"
)

func initCommand(e *command.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "init", Short: "Write the first configuration of a site", Args: command.NoArguments,
		Example: command.Example(
			"hubgate init",
			"hubgate init --site www.example.com --hub-id 12345678 --user-pool eu-west-1_AbCdEf123 --template terraform",
		),
		Long: `Writes hubgate.yaml, and .env for its secrets, into the working directory. .env gets a new session key
and admin token, and empty places for the secrets of Cognito and HubSpot, which are never given on the command line.
No file is replaced. On a terminal, init asks for what the flags do not say.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return initialize(e, cmd) },
	}
	for _, q := range starter.Questions() {
		cmd.Flags().String(q.Flag, q.Default, q.Help)
	}
	return cmd
}

func initialize(e *command.Env, cmd *cobra.Command) error {
	if err := starter.Vacant("."); err != nil { // before the questions
		return err
	}
	answers, err := askAnswers(e, cmd)
	if err != nil {
		return err
	}
	files, err := answers.Files()
	if err != nil {
		return err
	}
	if err := starter.Write(".", files); err != nil {
		return err
	}
	if e.Output == "json" {
		names := []string{}
		for _, f := range files {
			names = append(names, f.Name)
		}
		return e.PrintJSON(map[string]any{
			"files": names, "origin": answers.Origin(), "callback_url": answers.CallbackURL(),
			"sign_out_url": answers.SignOutURL(), "steps": answers.Steps(command.Program()),
		})
	}
	printInitialized(e, answers, files)
	return nil
}

// askAnswers returns the answers of the flags, and those that a person at a terminal gives.
func askAnswers(e *command.Env, cmd *cobra.Command) (*starter.Answers, error) {
	a, in := &starter.Answers{}, bufio.NewReader(cmd.InOrStdin())
	obstacle, begun := e.CannotAsk(cmd.InOrStdin()), false
	var missing []string
	for _, q := range starter.Questions() {
		flag := cmd.Flags().Lookup(q.Flag)
		switch {
		case flag.Changed || obstacle != "" && !q.Required || q.Needless(a):
			if err := q.Answer(a, flag.Value.String()); err != nil {
				return nil, command.UsageError("--" + q.Flag + ": " + err.Error())
			}
		case obstacle != "":
			missing = append(missing, "--"+q.Flag)
		default:
			if !begun {
				command.Fprintln(e.Stderr, "Enter accepts the answer in [brackets]. No file is written before the last answer.")
			}
			begun = true
			if err := ask(e, q, a, in); err != nil {
				return nil, err
			}
		}
	}
	if len(missing) > 0 {
		return nil, command.UsageError(fmt.Sprintf("required: %s (init does not ask: %s)",
			strings.Join(missing, ", "), obstacle))
	}
	return a, nil
}

// ask asks until the answer is valid.
func ask(e *command.Env, q starter.Question, a *starter.Answers, in *bufio.Reader) error {
	for {
		suggestion := ""
		if q.Default != "" {
			suggestion = " [" + q.Default + "]"
		}
		command.Fprintf(e.Stderr, "%s%s: ", q.Text, suggestion)
		line, err := e.ReadLine(in)
		if e.Ctx.Err() != nil {
			return errors.New("nothing was written: interrupted before the last answer")
		}
		if err != nil && line == "" {
			return errors.New("nothing was written: the input ended before the last answer")
		}
		bad := q.Answer(a, line)
		if bad == nil {
			return nil
		}
		command.Fprintf(e.Stderr, "  %v\n", bad)
	}
}

func printInitialized(e *command.Env, a *starter.Answers, files []starter.File) {
	for _, f := range files {
		note := ""
		if f.Name == starter.SecretsFile {
			note = "  (readable only by you; keep it out of version control)"
		}
		command.Fprintf(e.Stdout, "wrote %s%s\n", f.Name, note)
	}
	command.Fprintf(e.Stdout, `
HubSpot's origin, derived from the Hub ID (check --live verifies it):
  %s
URLs of the Cognito app client:
  callback  %s
  sign-out  %s

Next:
`, a.Origin(), a.CallbackURL(), a.SignOutURL())
	for i, step := range a.Steps(command.Program()) {
		command.Fprintf(e.Stdout, "%d. %s\n", i+1, command.Lines(strings.ReplaceAll(step, "\n", "\n     ")))
	}
	if at, _ := config.Locate("", e.Getenv); at.From == config.Variable {
		e.Say(config.Variable + " is set to " + at.Path + ", so commands use that file; unset it, or add --config " +
			config.FileName)
	}
}

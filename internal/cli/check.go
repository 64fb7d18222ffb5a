package cli

import (
	"log/slog"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/doctor"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/setting"
)

func checkCommand(e *command.Env) *cobra.Command {
	var path command.ConfigPath
	var flags checkFlags
	cmd := &cobra.Command{
		Use: "check [--config FILE]", Short: "Check a configuration, and run its tests", Args: command.NoArguments,
		Example: command.Example(
			"hubgate check",
			"hubgate check --config new.yaml --strict --no-secrets",
			"hubgate check --live",
		),
		Long: `Reads a configuration as serve does, and shows every mistake with its line and its cure. Without --live, it
makes no network calls. With --live, it checks every dependency, and each failed check shows what to change and where.
With --no-secrets, it checks a file where its secrets are not, for example in a pull request.

Exit status: 0 when the configuration is valid, 1 when a check of --live failed, 2 when the file has mistakes.`,
		RunE: func(*cobra.Command, []string) error { return runCheck(e, path, flags) },
	}
	command.ConfigFlag(cmd, &path)
	command.NoSecretsFlag(cmd, &flags.noSecrets, false)
	cmd.Flags().BoolVar(&flags.strict, "strict", false, "treat warnings as errors")
	cmd.Flags().BoolVar(&flags.live, "live", false, "also check provider, Redis, HubSpot and origin over the network")
	return cmd
}

type checkFlags struct{ strict, live, noSecrets bool }

// checkResult is the JSON output of check.
type checkResult struct {
	OK       bool                  `json:"ok"`
	File     string                `json:"file"`
	Rules    int                   `json:"rules"`
	Tests    int                   `json:"tests"`
	SHA256   string                `json:"sha256"`
	Problems []command.ProblemJSON `json:"problems"`
	Absent   []string              `json:"secrets_not_checked,omitempty"`
	Live     []setting.Finding     `json:"live,omitempty"`
}

func runCheck(e *command.Env, flag command.ConfigPath, flags checkFlags) error {
	if flags.live && flags.noSecrets {
		return command.UsageError("--live needs the secrets; use it without --no-secrets")
	}
	path, err := e.ConfigFile(flag)
	if err != nil {
		return err
	}
	cfg, rep := e.Load(path, flags.noSecrets)
	rep.AddFiles(cfg)
	e.ReportAbsent(rep)
	if e.Output != "json" {
		printProblems(e, rep)
	}
	failed := rep.Failed() || (flags.strict && len(rep.Findings) > 0)
	result := checkResult{
		OK: !failed, File: path, Rules: len(cfg.Proxy.Rules), Tests: len(cfg.Proxy.Tests), SHA256: rep.SHA256,
		Problems: command.ProblemsJSON(rep), Absent: rep.Absent,
	}
	if flags.live && !failed {
		logging.CaptureRedis(slog.New(slog.DiscardHandler)) // the findings report what go-redis would print to stderr
		result.Live = doctor.Diagnose(e.Ctx, cfg)
		for i := range result.Live {
			result.Live[i].Where = rep.WithLines(result.Live[i].Where)
		}
		result.OK = !slices.ContainsFunc(result.Live, func(f setting.Finding) bool {
			return f.Status == setting.Failed || flags.strict && f.Status == setting.Warning
		})
	}
	if e.Output == "json" {
		if err := e.PrintJSON(result); err != nil {
			return err
		}
	} else {
		printCheck(e, result, rep, failed)
	}
	switch {
	case failed:
		return command.SilentError(command.ExitUsage)
	case !result.OK:
		return command.SilentError(command.ExitFailed)
	}
	return nil
}

// printProblems prints what is wrong with a file, as the result of check in JSON has it.
func printProblems(e *command.Env, rep *config.Report) {
	for i, line := range rep.Lines() {
		code := command.Red
		if rep.Findings[i].Warning {
			code = command.Yellow
		}
		command.Fprintln(e.Stderr, e.Color(e.Stderr, code, line))
	}
}

func printCheck(e *command.Env, r checkResult, rep *config.Report, failed bool) {
	warnings := len(rep.Findings) - rep.Errors()
	if failed {
		strictly := ""
		if rep.Errors() == 0 {
			strictly = ", treated as errors by --strict"
		}
		command.Fprintf(e.Stdout, "%s: %s, %s%s\n", r.File, setting.Count(rep.Errors(), "error"),
			setting.Count(warnings, "warning"), strictly)
		return
	}
	command.Fprintf(e.Stdout, "%s: %s, %s, %s passed, %s\n", r.File, e.Color(e.Stdout, command.Green, "ok"),
		setting.Count(r.Rules, "rule"), setting.Count(r.Tests, "test"), setting.Count(warnings, "warning"))
	printFindings(e, r.Live)
}

func printFindings(e *command.Env, all []setting.Finding) {
	if len(all) == 0 {
		return
	}
	colors := map[string]string{setting.OK: command.Green, setting.Warning: command.Yellow, setting.Failed: command.Red}
	command.Fprintf(e.Stdout, "\n")
	table := e.Table()
	for _, d := range all {
		command.Fprintf(table, "%s\t%s\t%s\n", e.Color(e.Stdout, colors[d.Status], d.Status), d.Part, d.Detail)
		if d.Cure != "" {
			command.Fprintf(table, "%s\t\t-> %s%s\n", e.Color(e.Stdout, colors[d.Status], ""), d.Cure, whereSuffix(d.Where))
		}
	}
	_ = table.Flush() // stdout is closed
}

// whereSuffix returns the place of a cure in parentheses.
func whereSuffix(where string) string {
	if where == "" {
		return ""
	}
	return " (" + where + ")"
}

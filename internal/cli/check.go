package cli

import (
	"log/slog"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/doctor"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/setting"
)

func checkCommand(e *env) *cobra.Command {
	var path configPath
	var flags checkFlags
	cmd := &cobra.Command{
		Use: "check [--config FILE]", Short: "Check a configuration, and run its tests", Args: noArguments,
		Example: example(
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
	configFlag(cmd, &path)
	noSecretsFlag(cmd, &flags.noSecrets, false)
	cmd.Flags().BoolVar(&flags.strict, "strict", false, "treat warnings as errors")
	cmd.Flags().BoolVar(&flags.live, "live", false, "also check provider, Redis, HubSpot and origin over the network")
	return cmd
}

type checkFlags struct{ strict, live, noSecrets bool }

// checkResult is the JSON output of check.
type checkResult struct {
	OK       bool              `json:"ok"`
	File     string            `json:"file"`
	Rules    int               `json:"rules"`
	Tests    int               `json:"tests"`
	SHA256   string            `json:"sha256"`
	Problems []problemJSON     `json:"problems"`
	Absent   []string          `json:"secrets_not_checked,omitempty"`
	Live     []setting.Finding `json:"live,omitempty"`
}

type problemJSON struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Level   string `json:"level"`
	Key     string `json:"key,omitempty"`
	Problem string `json:"problem"`
	Cure    string `json:"cure,omitempty"`
}

func runCheck(e *env, flag configPath, flags checkFlags) error {
	if flags.live && flags.noSecrets {
		return usageError("--live needs the secrets; use it without --no-secrets")
	}
	path, err := e.configFile(flag)
	if err != nil {
		return err
	}
	cfg, rep := e.load(path, flags.noSecrets)
	rep.AddFiles(cfg)
	e.reportAbsent(rep)
	if e.output != "json" {
		printProblems(e, rep)
	}
	failed := rep.Failed() || (flags.strict && len(rep.Findings) > 0)
	result := checkResult{
		OK: !failed, File: path, Rules: len(cfg.Proxy.Rules), Tests: len(cfg.Proxy.Tests), SHA256: rep.SHA256,
		Problems: problemsJSON(rep), Absent: rep.Absent,
	}
	if flags.live && !failed {
		logging.CaptureRedis(slog.New(slog.DiscardHandler)) // the findings report what go-redis would print to stderr
		result.Live = doctor.Diagnose(e.ctx, cfg)
		for i := range result.Live {
			result.Live[i].Where = rep.WithLines(result.Live[i].Where)
		}
		result.OK = !slices.ContainsFunc(result.Live, func(f setting.Finding) bool {
			return f.Status == setting.Failed || flags.strict && f.Status == setting.Warning
		})
	}
	if e.output == "json" {
		if err := e.printJSON(result); err != nil {
			return err
		}
	} else {
		printCheck(e, result, rep, failed)
	}
	switch {
	case failed:
		return silentError(ExitUsage)
	case !result.OK:
		return silentError(exitFailed)
	}
	return nil
}

// printProblems prints what is wrong with a file, as the result of check in JSON has it.
func printProblems(e *env, rep *config.Report) {
	for i, line := range rep.Lines() {
		code := red
		if rep.Findings[i].Warning {
			code = yellow
		}
		fprintln(e.stderr, e.color(e.stderr, code, line))
	}
}

func problemsJSON(rep *config.Report) []problemJSON {
	problems := []problemJSON{}
	for _, f := range rep.Findings {
		level := "error"
		if f.Warning {
			level = "warning"
		}
		problems = append(problems, problemJSON{f.Line, f.Col, level, f.Key, f.Text, f.Cure})
	}
	return problems
}

func printCheck(e *env, r checkResult, rep *config.Report, failed bool) {
	warnings := len(rep.Findings) - rep.Errors()
	if failed {
		strictly := ""
		if rep.Errors() == 0 {
			strictly = ", treated as errors by --strict"
		}
		fprintf(e.stdout, "%s: %s, %s%s\n", r.File, setting.Count(rep.Errors(), "error"),
			setting.Count(warnings, "warning"), strictly)
		return
	}
	fprintf(e.stdout, "%s: %s, %s, %s passed, %s\n", r.File, e.color(e.stdout, green, "ok"),
		setting.Count(r.Rules, "rule"), setting.Count(r.Tests, "test"), setting.Count(warnings, "warning"))
	printFindings(e, r.Live)
}

func printFindings(e *env, all []setting.Finding) {
	if len(all) == 0 {
		return
	}
	colors := map[string]string{setting.OK: green, setting.Warning: yellow, setting.Failed: red}
	fprintf(e.stdout, "\n")
	table := e.table()
	for _, d := range all {
		fprintf(table, "%s\t%s\t%s\n", e.color(e.stdout, colors[d.Status], d.Status), d.Part, d.Detail)
		if d.Cure != "" {
			fprintf(table, "%s\t\t-> %s%s\n", e.color(e.stdout, colors[d.Status], ""), d.Cure, whereSuffix(d.Where))
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

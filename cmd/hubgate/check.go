package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func checkCommand(e *env) *cobra.Command {
	var path string
	var strict, live bool
	cmd := &cobra.Command{
		Use: "check --config FILE", Short: "Find the mistakes in a configuration, and run its tests", Args: noArguments,
		Long: `Reads a configuration as serve does and names every mistake with its line and its cure. Nothing is asked over the network
unless --live is given: then every part is asked, and each failed check says what to change and where.

Exit status: 0 when the configuration can be served, 1 when --live found something wrong, 2 when the file has mistakes.`,
		RunE: func(*cobra.Command, []string) error { return runCheck(e, path, strict, live) },
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&strict, "strict", false, "take warnings for errors")
	cmd.Flags().BoolVar(&live, "live", false, "also ask the provider, Redis, HubSpot and the origin")
	return cmd
}

// checkResult is what check prints as JSON.
type checkResult struct {
	OK       bool          `json:"ok"`
	File     string        `json:"file"`
	Rules    int           `json:"rules"`
	Tests    int           `json:"tests"`
	SHA256   string        `json:"sha256"`
	Problems []problemJSON `json:"problems"`
	Live     []diagnosis   `json:"live,omitempty"`
}

type problemJSON struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Level   string `json:"level"`
	Key     string `json:"key,omitempty"`
	Problem string `json:"problem"`
	Cure    string `json:"cure,omitempty"`
}

func runCheck(e *env, path string, strict, live bool) error {
	cfg, rep := loadConfig(path, e.getenv)
	rep.addFiles(cfg)
	for i, line := range rep.lines() {
		code := red
		if rep.findings[i].warning {
			code = yellow
		}
		fmt.Fprintln(e.stderr, e.colour(e.stderr, code, line))
	}
	failed := rep.failed() || (strict && len(rep.findings) > 0)
	result := checkResult{OK: !failed, File: path, Rules: len(cfg.Proxy.Rules), Tests: len(cfg.Proxy.Tests), SHA256: rep.sha256, Problems: problemsJSON(rep)}
	sick := false
	if live && !failed {
		logRedis(quietLog()) // what its pool says would go to stderr, and the diagnosis says it
		result.Live = newDoctor(cfg).diagnose(e.ctx)
		for _, d := range result.Live {
			sick = sick || d.Status == "failed" || (strict && d.Status == doubted)
		}
		result.OK = !sick
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
		return silentError(exitUsage)
	case sick:
		return silentError(exitFailed)
	}
	return nil
}

func problemsJSON(rep *report) []problemJSON {
	problems := []problemJSON{}
	for _, f := range rep.findings {
		level := "error"
		if f.warning {
			level = "warning"
		}
		problems = append(problems, problemJSON{f.line, f.col, level, f.key, f.text, f.cure})
	}
	return problems
}

func printCheck(e *env, r checkResult, rep *report, failed bool) {
	warnings := len(rep.findings) - rep.errors()
	if failed {
		strictly := ""
		if rep.errors() == 0 {
			strictly = ", taken for errors by --strict"
		}
		fmt.Fprintf(e.stdout, "%s: %s, %s%s\n", r.File, count(rep.errors(), "error"), count(warnings, "warning"), strictly)
		return
	}
	fmt.Fprintf(e.stdout, "%s: %s, %s, %s passed, %s\n", r.File, e.colour(e.stdout, green, "ok"),
		count(r.Rules, "rule"), count(r.Tests, "test"), count(warnings, "warning"))
	printDiagnoses(e, r.Live)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

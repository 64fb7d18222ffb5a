package cli

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/config"
)

func healthcheckCommand(e *command.Env) *cobra.Command {
	var path command.ConfigPath
	var admin string
	var ready bool
	cmd := &cobra.Command{
		Use: "healthcheck", Short: "Check that a running gateway is alive (for containers without curl)",
		Args:    command.NoArguments,
		Example: command.Example("hubgate healthcheck", "hubgate healthcheck --admin http://127.0.0.1:9090 --ready"),
		Long: `Requests /livez of the admin listener: at --admin, at server.admin_listen of the configuration, or at
http://127.0.0.1:9090. Mistakes elsewhere in the file do not matter: the gateway keeps its last good configuration.
Exit status: 0 when the status is 200, otherwise 1.`,
		RunE: func(*cobra.Command, []string) error {
			url, err := adminListener(e, path, admin)
			if err != nil {
				return err
			}
			if ready {
				return healthcheck(e, url+"/readyz")
			}
			return healthcheck(e, url+"/livez")
		},
	}
	command.ConfigFlag(cmd, &path)
	cmd.Flags().StringVar(&admin, "admin", "", "URL of the admin listener")
	cmd.Flags().BoolVar(&ready, "ready", false, "request /readyz instead, which fails while draining")
	return cmd
}

// adminListener returns the URL of the admin listener: the one of --admin, else that of the configuration, else the
// default. A mistake in the file does not fail the check: a container would be restarted although its gateway works
// with the last good configuration.
func adminListener(e *command.Env, path command.ConfigPath, admin string) (string, error) {
	if admin != "" {
		return command.AdminAddress(admin)
	}
	file, found := config.Locate(string(path), e.Getenv)
	if !found {
		return config.LocalURL(config.DefaultServer().AdminListen), nil
	}
	e.Announce(file)
	cfg, rep := config.LoadWithoutSecrets(file.Path, e.Getenv)
	if rep.Failed() {
		e.Say(file.Path + " has mistakes; server.admin_listen may be another one")
	}
	return config.LocalURL(cfg.Server.AdminListen), nil
}

func healthcheck(e *command.Env, url string) error {
	ctx, cancel := context.WithTimeout(e.Ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return command.UsageError(err.Error())
	}
	res, err := command.ListenerClient().Do(req)
	if err != nil {
		return fmt.Errorf("the gateway is not responding: %w", err)
	}
	defer res.Body.Close()
	if e.Output == "json" {
		result := map[string]any{"ok": res.StatusCode == http.StatusOK, "status": res.StatusCode, "url": url}
		if err := e.PrintJSON(result); err != nil {
			return err
		}
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s responded with %s", url, res.Status)
	}
	if e.Output != "json" {
		command.Fprintln(e.Stdout, "ok")
	}
	return nil
}

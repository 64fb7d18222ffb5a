package cli

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/config"
)

func healthcheckCommand(e *env) *cobra.Command {
	var path, admin string
	var ready bool
	cmd := &cobra.Command{
		Use: "healthcheck", Short: "Check that a running gateway is alive (for containers without curl)", Args: noArguments,
		Long: `Requests /livez of the admin listener: at --admin, at server.admin_listen of the configuration, or at
http://127.0.0.1:9090.
Exit status: 0 when the status is 200, otherwise 1.`,
		RunE: func(*cobra.Command, []string) error {
			switch {
			case admin != "":
				var err error
				if admin, err = adminAddress(admin); err != nil {
					return err
				}
			case path != "":
				cfg, rep := config.Load(path, e.getenv)
				if rep.Failed() {
					return &config.Error{Report: rep}
				}
				admin = config.LocalURL(cfg.Server.AdminListen)
			default:
				admin = config.LocalURL(config.DefaultServer().AdminListen)
			}
			if ready {
				return healthcheck(e, admin+"/readyz")
			}
			return healthcheck(e, admin+"/livez")
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "configuration file with the address, server.admin_listen")
	cmd.Flags().StringVar(&admin, "admin", "", "URL of the admin listener")
	cmd.Flags().BoolVar(&ready, "ready", false, "request /readyz instead, which fails while draining")
	return cmd
}

func healthcheck(e *env, url string) error {
	ctx, cancel := context.WithTimeout(e.ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return usageError(err.Error())
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("the gateway is not responding: %w", err)
	}
	defer res.Body.Close()
	if e.output == "json" {
		result := map[string]any{"ok": res.StatusCode == http.StatusOK, "status": res.StatusCode, "url": url}
		if err := e.printJSON(result); err != nil {
			return err
		}
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s responded with %s", url, res.Status)
	}
	if e.output != "json" {
		fprintln(e.stdout, "ok")
	}
	return nil
}

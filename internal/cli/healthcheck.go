package cli

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/config"
)

func healthcheckCommand(e *env) *cobra.Command {
	var path, admin string
	var ready bool
	cmd := &cobra.Command{
		Use: "healthcheck", Short: "Ask a running gateway whether it is alive: for containers without curl", Args: noArguments,
		Long: "Asks /livez of the admin listener: that of --admin, of the configuration's admin_listen, or http://127.0.0.1:9090.\nExit status: 0 when it answers, 1 when it does not.",
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
				admin = adminURL(cfg.Server.AdminListen)
			default:
				admin = adminURL(config.DefaultServer().AdminListen)
			}
			page := "/livez"
			if ready {
				page = "/readyz"
			}
			return healthcheck(e, admin+page)
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "take the address from this configuration")
	cmd.Flags().StringVar(&admin, "admin", "", "URL of the admin listener")
	cmd.Flags().BoolVar(&ready, "ready", false, "ask /readyz instead: not while draining")
	return cmd
}

// adminURL is how to reach a listener from this machine.
func adminURL(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "http://" + listen
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
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
		return fmt.Errorf("the gateway does not answer: %w", err)
	}
	defer res.Body.Close()
	if e.output == "json" {
		if err := e.printJSON(map[string]any{"ok": res.StatusCode == http.StatusOK, "status": res.StatusCode, "url": url}); err != nil {
			return err
		}
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, res.Status)
	}
	if e.output != "json" {
		fmt.Fprintln(e.stdout, "ok")
	}
	return nil
}

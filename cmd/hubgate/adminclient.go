package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/page"
)

// adminFlags say how a command finds the admin API: by the configuration, or by address and token.
type adminFlags struct{ config, admin, tokenFile string }

func (f *adminFlags) add(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVarP(&f.config, "config", "c", "", "find the admin API by this configuration")
	cmd.PersistentFlags().StringVar(&f.admin, "admin", "", "URL of the admin listener, with --token-file")
	cmd.PersistentFlags().StringVar(&f.tokenFile, "token-file", "", "file that holds server.admin_token")
}

// adminClient speaks to the admin API of a running gateway.
type adminClient struct{ url, token string }

func (f *adminFlags) client(e *env) (*adminClient, error) {
	switch {
	case f.config != "" && f.admin == "":
		cfg, rep := loadConfig(f.config, e.getenv)
		if rep.failed() {
			return nil, &configError{rep}
		}
		if cfg.Server.AdminToken == "" {
			return nil, usageError(f.config + " has no server.admin_token, and the admin API answers nobody without one")
		}
		return &adminClient{adminURL(cfg.Server.AdminListen), cfg.Server.AdminToken.Reveal()}, nil
	case f.admin != "" && f.tokenFile != "":
		token, err := os.ReadFile(f.tokenFile)
		if err != nil {
			return nil, usageError("--token-file: " + err.Error())
		}
		return &adminClient{strings.TrimSuffix(f.admin, "/"), strings.TrimSpace(string(token))}, nil
	}
	return nil, usageError("say where the gateway is: --config FILE, or --admin URL --token-file FILE")
}

// call asks the API; into is filled from a success, a problem becomes an error.
func (c *adminClient) call(ctx context.Context, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, reader)
	if err != nil {
		return usageError(err.Error())
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("the gateway's admin API does not answer: %w", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return fmt.Errorf("the gateway's admin API broke off: %w", err)
	}
	if res.StatusCode >= 300 {
		var problem page.Problem
		if json.Unmarshal(text, &problem) != nil || problem.Detail == "" {
			return errors.New("the admin API answers " + res.Status)
		}
		return errors.New(problem.Detail)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("the admin API's answer is not what it should be: %w", err)
	}
	return nil
}

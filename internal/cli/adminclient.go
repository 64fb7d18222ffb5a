package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/internal/setting"
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
		cfg, rep := config.Load(f.config, e.getenv)
		if rep.Failed() {
			return nil, &config.Error{Report: rep}
		}
		if cfg.Server.AdminToken == "" {
			return nil, usageError(f.config + " has no server.admin_token, and the admin API answers nobody without one")
		}
		return &adminClient{adminURL(cfg.Server.AdminListen), cfg.Server.AdminToken.Reveal()}, nil
	case f.admin != "" && f.tokenFile != "":
		return f.byAddress()
	}
	return nil, usageError("say where the gateway is: --config FILE, or --admin URL --token-file FILE")
}

func (f *adminFlags) byAddress() (*adminClient, error) {
	address, err := adminAddress(f.admin)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(f.tokenFile)
	if err != nil {
		return nil, usageError("--token-file: " + err.Error())
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return nil, usageError("--token-file: " + f.tokenFile + " is empty: write the value of server.admin_token into it")
	}
	return &adminClient{address, token}, nil
}

// adminAddress reads --admin.
func adminAddress(text string) (string, error) {
	if !strings.Contains(text, "://") {
		return "", usageError("--admin " + setting.Shorten(text) + " has no scheme: write it as http://" + setting.Shorten(text))
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", usageError(fmt.Sprintf("--admin: %q is not a URL such as http://127.0.0.1:9090", setting.Shorten(text)))
	}
	return strings.TrimSuffix(text, "/"), nil
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
	if res.StatusCode < 300 && json.Unmarshal(text, into) == nil {
		return nil
	}
	return c.refusal(ctx, res, text)
}

// refusal says why a call failed. What another listener says, the public one for example, is meant for its visitors.
func (c *adminClient) refusal(ctx context.Context, res *http.Response, text []byte) error {
	var problem page.Problem
	switch {
	case !c.isAdmin(ctx):
		return errors.New(c.url + " is not an admin listener of hubgate: give the address that server.admin_listen names")
	case res.StatusCode == http.StatusUnauthorized:
		return errors.New("the token was refused: it is not the server.admin_token of the gateway at " + c.url)
	case res.StatusCode < 300:
		return errors.New("the admin API's answer is not what it should be: is the gateway of another version?")
	case json.Unmarshal(text, &problem) != nil || problem.Detail == "":
		return errors.New("the admin API answers " + res.Status)
	}
	return errors.New(problem.Detail)
}

// isAdmin asks, without the token, what only an admin listener answers: /version, or that it was asked by a wrong name.
func (c *adminClient) isAdmin(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/version", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	return err == nil && (bytes.Contains(text, []byte(`"go_version"`)) || bytes.Contains(text, []byte("the admin listener")))
}

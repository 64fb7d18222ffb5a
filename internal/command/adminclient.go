package command

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
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/buildinfo"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/internal/setting"
)

// AdminFlags locate the admin API: by the configuration, or by URL and token.
type AdminFlags struct {
	Config           ConfigPath
	Admin, TokenFile string
}

func (f *AdminFlags) Add(cmd *cobra.Command) {
	cmd.PersistentFlags().VarP(&f.Config, "config", "c",
		"configuration file with the address and the token (default: $HUBGATE_CONFIG, or ./hubgate.yaml)")
	cmd.PersistentFlags().StringVar(&f.Admin, "admin", "", "URL of the admin listener (requires --token-file)")
	cmd.PersistentFlags().StringVar(&f.TokenFile, "token-file", "", "file that contains server.admin_token")
}

// noAdmin says what is missing if the admin API cannot be located.
const noAdmin = noConfigFile + ", or --admin URL --token-file FILE"

// AdminClient calls the admin API of a running gateway.
type AdminClient struct{ url, token string }

func (f *AdminFlags) Client(e *Env) (*AdminClient, error) {
	switch {
	case f.Admin == "" && (f.Config != "" || f.TokenFile == ""):
		return f.byConfig(e)
	case f.Config == "" && f.Admin != "" && f.TokenFile != "":
		return f.byAddress()
	}
	return nil, UsageError(noAdmin)
}

func (f *AdminFlags) byConfig(e *Env) (*AdminClient, error) {
	if _, found := config.Locate(string(f.Config), e.Getenv); !found {
		return nil, UsageError(noAdmin)
	}
	cfg, err := e.LoadConfig(f.Config)
	switch {
	case err != nil:
		return nil, err
	case cfg.Server.AdminToken == "":
		return nil, UsageError("server.admin_token is missing in the configuration; the admin API requires it")
	}
	return &AdminClient{config.LocalURL(cfg.Server.AdminListen), cfg.Server.AdminToken.Reveal()}, nil
}

func (f *AdminFlags) byAddress() (*AdminClient, error) {
	address, err := AdminAddress(f.Admin)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(f.TokenFile)
	if err != nil {
		return nil, UsageError("--token-file: " + err.Error())
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return nil, UsageError("--token-file: " + f.TokenFile + " is empty; write the value of server.admin_token into it")
	}
	return &AdminClient{address, token}, nil
}

// Get sends one GET request to the API.
func (f *AdminFlags) Get(e *Env, path string, into any) error {
	client, err := f.Client(e)
	if err != nil {
		return err
	}
	return client.Call(e.Ctx, http.MethodGet, path, nil, into)
}

// AdminAddress parses --admin.
func AdminAddress(text string) (string, error) {
	if !strings.Contains(text, "://") {
		return "", UsageError(fmt.Sprintf("--admin: %q has no scheme; write http://%[1]s", setting.Shorten(text)))
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", UsageError(fmt.Sprintf("--admin: %q is not a URL; write one such as http://127.0.0.1:9090",
			setting.Shorten(text)))
	}
	return strings.TrimSuffix(text, "/"), nil
}

// ListenerClient returns a client for the admin listener alone. It ignores HTTP_PROXY: the proxy would see the token
// and people's data (CWE-319). It follows no redirect: an admin listener has none, and the target would get what is
// meant for it.
func ListenerClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Call sends a request to the API. It decodes a successful response into into, and returns a problem as a
// *CallError.
func (c *AdminClient) Call(ctx context.Context, method, path string, body, into any) error {
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
		return UsageError(err.Error())
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := ListenerClient().Do(req)
	if err != nil {
		return &CallError{0, fmt.Errorf("the gateway's admin API is not responding: %w", err)}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return &CallError{0, fmt.Errorf("the response of the gateway's admin API ended early: %w", err)}
	}
	if res.StatusCode < 300 && json.Unmarshal(text, into) == nil {
		return nil
	}
	return &CallError{res.StatusCode, c.problem(ctx, res, text)}
}

var ErrUnexpectedResponse = errors.New(
	"unexpected response of the admin API; check that the gateway has the same version")

// problem returns why a call failed. It does not show the response of another listener, such as the public one.
func (c *AdminClient) problem(ctx context.Context, res *http.Response, text []byte) error {
	var problem page.Problem
	switch {
	case !c.isAdmin(ctx):
		return errors.New(c.url + " is not an admin listener of hubgate; use the address of server.admin_listen")
	case res.StatusCode == http.StatusUnauthorized:
		return errors.New("the token was rejected; use the server.admin_token of the gateway at " + c.url)
	case res.StatusCode < 300:
		return ErrUnexpectedResponse
	case json.Unmarshal(text, &problem) != nil || problem.Detail == "":
		return errors.New("the admin API responded with " + res.Status)
	}
	return errors.New(Visible(problem.Detail, ""))
}

// isAdmin reports whether the URL is an admin listener. It requests /version without the token: an admin listener
// responds with its build, or with the problem admin.WrongHost.
func (c *AdminClient) isAdmin(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/version", nil)
	if err != nil {
		return false
	}
	res, err := ListenerClient().Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	var answer struct {
		buildinfo.Info
		page.Problem
	}
	err = json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(&answer)
	return err == nil && (answer.GoVersion != "" || answer.Detail == admin.WrongHost)
}

// PageQuery selects a page of a list: at most limit entries after cursor ("" = from the first).
func PageQuery(limit int, cursor string) url.Values {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	return q
}

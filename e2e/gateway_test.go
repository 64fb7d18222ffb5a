package e2e

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// gateway is one hubgate.
type gateway struct {
	*process
	t           *testing.T
	port, admin int
	config      config
	file        string // its configuration
	program     string // hubgate of another release; "" for this one
}

// newGateway writes the configuration of another gateway.
func (s *site) newGateway(changes ...config) *gateway {
	s.t.Helper()
	port := s.port
	if s.fronted {
		port = freePorts(s.t, 1)
	}
	g := &gateway{t: s.t, port: port, admin: freePorts(s.t, 1)}
	own := config{"server.listen": local(port), "server.admin_listen": local(g.admin)}
	g.config = s.config.with(append([]config{own}, changes...)...)
	g.file = write(s.t, "hubgate.yaml", g.config.String())
	s.gateways = append(s.gateways, g)
	if s.router != nil {
		s.router.add(port)
	}
	return g
}

// serve starts another gateway and waits until it serves.
func (s *site) serve(changes ...config) *gateway {
	s.t.Helper()
	g := s.newGateway(changes...)
	g.start()
	return g
}

// start starts the gateway, or starts it again, and waits until it serves.
func (g *gateway) start() {
	g.t.Helper()
	g.launch()
	g.waitFor(`"msg":"serving"`)
}

// launch is start without waiting.
func (g *gateway) launch() {
	g.t.Helper()
	g.process = start(g.t, cmp.Or(g.program, binary), "serve", "--config", g.file)
}

// set changes keys in the configuration file.
func (g *gateway) set(changes ...config) {
	g.t.Helper()
	g.config = g.config.with(changes...)
	overwrite(g.t, g.file, g.config.String())
}

// command runs a subcommand with the gateway's configuration and returns its exit status and its output.
func (g *gateway) command(args ...string) (status int, output string) {
	g.t.Helper()
	cmd := exec.CommandContext(g.t.Context(), binary, append(args, "--config", g.file)...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		g.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// must runs a subcommand that has to succeed.
func (g *gateway) must(args ...string) string {
	g.t.Helper()
	status, out := g.command(args...)
	if status != 0 {
		g.t.Errorf("%v: exit status %d\n%s", args, status, out)
	}
	return out
}

// checkRedis runs check --live and returns its output from the line of Redis on.
func (g *gateway) checkRedis() string {
	g.t.Helper()
	_, out := g.command("check", "--live")
	_, rest, found := strings.Cut(out, "  redis  ")
	if !found {
		g.t.Fatalf("check --live does not report on Redis:\n%s", out)
	}
	return rest
}

// do sends a request to the admin listener and returns the status, the body and its type.
func (g *gateway) do(method, path, body string, header http.Header) (int, string, error) {
	req, err := http.NewRequestWithContext(g.t.Context(), method, address(g.admin)+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header = header
	client := &http.Client{Timeout: time.Minute}
	res, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// request sends a request to the admin listener with a token; "" is none.
func (g *gateway) request(method, path, body, token string) (status int, answer string) {
	g.t.Helper()
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	status, answer, err := g.do(method, path, body, header)
	if err != nil {
		g.t.Fatal(err)
	}
	return status, answer
}

// api sends a request to the admin API.
func (g *gateway) api(method, path, body string) (status int, answer string) {
	g.t.Helper()
	return g.request(method, path, body, adminToken)
}

// object sends a request to the admin API and decodes the answer.
func (g *gateway) object(method, path string, into any) (status int) {
	g.t.Helper()
	status, answer := g.api(method, path, "")
	if err := json.Unmarshal([]byte(answer), into); err != nil {
		g.t.Fatalf("%s %s: %d %v\n%s", method, path, status, err, answer)
	}
	return status
}

// text returns what the admin listener answers, or "" if it does not answer.
func (g *gateway) text(path string) string {
	_, text, _ := g.do(http.MethodGet, path, "", http.Header{})
	return text
}

// openMetrics returns the metrics in the format OpenMetrics.
func (g *gateway) openMetrics() string {
	accept := http.Header{"Accept": {"application/openmetrics-text; version=1.0.0"}}
	_, text, _ := g.do(http.MethodGet, "/metrics", "", accept)
	return text
}

// check is one of the checks in the answer of /readyz.
type check struct {
	OK     bool
	Detail string
	Since  time.Time
}

// check returns a check of /readyz.
func (g *gateway) check(name string) check {
	g.t.Helper()
	var health struct{ Checks map[string]check }
	g.object(http.MethodGet, "/readyz", &health)
	return health.Checks[name]
}

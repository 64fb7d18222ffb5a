package gateway

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/seal"
)

// running is a gateway without listeners whose configuration a test edits.
type running struct {
	*gateway
	t      *testing.T
	folder string
	log    *logLines
	env    map[string]string
	yaml   string // the first configuration
}

const reloadYAML = `version: 1
server:
  public_urls: ["http://localhost:8080"]
  admin_token: ${file:admin_token}
proxy:
  origin: http://127.0.0.1:9
  default: public
  rules:
    - path: /members/**
  tests:
    - {url: /members/a, expect: login}
auth:
  user_pool: eu-west-1_AbCdEf123
  client_id: client
  client_secret: ${SECRET}
session:
  keys: ["${KEY}"]
  redis: {mode: embedded}
`

func newRunning(t *testing.T) *running {
	t.Helper()
	return startRunning(t, reloadYAML, nil)
}

// startRunning creates a gateway with a configuration and a clock, nil for the real one.
func startRunning(t *testing.T, yaml string, now func() time.Time) *running {
	t.Helper()
	env := map[string]string{"SECRET": "s3cret", "KEY": seal.NewKey()}
	r := &running{t: t, folder: t.TempDir(), log: newLogLines(t), env: env, yaml: yaml}
	r.write("admin_token", "first-admin-token")
	r.write("hubgate.yaml", yaml)
	getenv := func(name string) string { return r.env[name] }
	g, err := newGateway(ServeConfig{
		Path: filepath.Join(r.folder, "hubgate.yaml"), Getenv: getenv, Log: r.log.lines, now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.close() })
	r.gateway = g
	return r
}

func (r *running) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.folder, name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// edit writes the first configuration with some text replaced.
func (r *running) edit(oldnew ...string) {
	r.t.Helper()
	text := strings.NewReplacer(oldnew...).Replace(r.yaml)
	if text == r.yaml {
		r.t.Fatalf("the configuration does not contain %q", oldnew)
	}
	r.write("hubgate.yaml", text)
}

// logLines keeps the lines that were logged.
type logLines struct {
	lines *logging.Writer
	mu    sync.Mutex
	text  []byte
}

func newLogLines(t *testing.T) *logLines {
	t.Helper()
	l := &logLines{}
	l.lines = logging.NewWriter(l)
	t.Cleanup(func() { l.lines.Close(time.Minute) })
	return l
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

// String returns everything that was logged so far.
func (l *logLines) String() string {
	l.lines.Flush(time.Minute)
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// with returns the lines that have this message.
func (l *logLines) with(message string) []map[string]any {
	var found []map[string]any
	for line := range strings.Lines(l.String()) {
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) == nil && fields["msg"] == message {
			found = append(found, fields)
		}
	}
	return found
}

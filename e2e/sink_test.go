package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// sinkYAML is a gateway that needs nothing but its origin.
const sinkYAML = `version: 1
server:
  public_urls: ["http://localhost:%[1]d"]
  listen: "127.0.0.1:%[1]d"
  admin_listen: "127.0.0.1:%[2]d"
  admin_token: %[3]s
  drain_delay: 0s
  drain_timeout: 5s
proxy: {origin: "%[4]s", default: public}
auth: {issuer: "http://127.0.0.1:9/", client_id: web, client_secret: secret}
session: {keys: ["%[5]s"], redis: {mode: embedded}}
log: {format: %[6]s}
`

// observed is a gateway whose output goes where a test says.
type observed struct {
	*process
	port, admin int
}

// startObserved runs hubgate serve with its standard error there; closed says which of its descriptors the shell closes first.
func startObserved(t *testing.T, stderr *os.File, format, closed string) observed {
	t.Helper()
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "a page")
	}))
	t.Cleanup(origin.Close)
	base := freePorts(t, 2)
	text := fmt.Sprintf(sinkYAML, base, base+1, adminToken, origin.URL, sealKey, format)
	path := write(t, "hubgate.yaml", text)
	cmd := exec.Command("sh", "-c", `exec "$0" "$@" `+closed, binary, "serve", "--config", path)
	cmd.Stderr = stderr
	p := startCommand(t, cmd)
	o := observed{p, base, base + 1}
	eventually(t, "the gateway serves", func() bool { return listens(base) && listens(base+1) })
	return o
}

func startCommand(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: cmd, out: &transcript{changed: make(chan struct{}, 1)}, done: make(chan struct{})}
	go func() {
		cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-p.done
	})
	return p
}

// visit sends n requests whose lines are long, and fails the test unless all are answered.
func (o observed) visit(n int) {
	o.t.Helper()
	client := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range n / 4 {
				req, _ := http.NewRequest("GET", "http://localhost:"+strconv.Itoa(o.port)+"/", nil)
				req.Header.Set("User-Agent", strings.Repeat("x", 1000))
				res, err := client.Do(req)
				if err != nil || res.StatusCode != http.StatusOK {
					o.t.Errorf("a visitor gets %v, %v", res, err)
					return
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		})
	}
	all.Wait()
}

// ask asks the admin listener.
func (o observed) ask(path string) (int, string) {
	o.t.Helper()
	client := &http.Client{Timeout: time.Minute}
	res, err := client.Get(address(o.admin) + path)
	if err != nil {
		o.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// dropped is how many lines are counted as dropped for a reason.
func (o observed) dropped(reason string) int {
	o.t.Helper()
	_, metrics := o.ask("/metrics")
	_, after, _ := strings.Cut(metrics, `hubgate_log_lines_dropped_total{reason="`+reason+`"} `)
	text, _, _ := strings.Cut(after, "\n")
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		o.t.Fatalf("no count of lines dropped for %q", reason)
	}
	return int(n)
}

// lives checks that visitors, probes and operators are answered, and that SIGTERM ends the process.
func (o observed) lives() {
	o.t.Helper()
	o.visit(2000)
	for _, path := range []string{"/livez", "/readyz", "/startupz"} {
		if status, body := o.ask(path); status != http.StatusOK {
			o.t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if code := o.terminate(); code != 0 {
		o.t.Errorf("exit status %d, %v", code, o.cmd.ProcessState)
	}
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	return r, w
}

func TestLogReaderNeverStopsTheGateway(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		t.Run("nobody reads, "+format, func(t *testing.T) {
			t.Parallel()
			_, w := pipe(t)
			o := startObserved(t, w, format, "")
			o.visit(2000)
			if o.dropped("full") == 0 {
				t.Error("no line was dropped")
			}
			o.signal(syscall.SIGHUP)
			o.lives()
		})
		t.Run("the reader goes away, "+format, func(t *testing.T) {
			t.Parallel()
			r, w := pipe(t)
			o := startObserved(t, w, format, "")
			w.Close()
			r.Close()
			o.visit(100)
			eventually(t, "the loss is counted", func() bool { return o.dropped("write_error") > 0 })
			o.lives()
		})
	}
	t.Run("the reader is slow", func(t *testing.T) {
		t.Parallel()
		r, w := pipe(t)
		o := startObserved(t, w, "json", "")
		w.Close()
		go func() {
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for b := make([]byte, 1000); ; <-tick.C {
				if _, err := r.Read(b); err != nil {
					return
				}
			}
		}()
		o.lives()
	})
	t.Run("the disk is full", func(t *testing.T) {
		t.Parallel()
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer full.Close()
		o := startObserved(t, full, "json", "")
		o.visit(100)
		eventually(t, "the loss is counted", func() bool { return o.dropped("write_error") > 0 })
		o.lives()
	})
	t.Run("stdout is closed", func(t *testing.T) {
		t.Parallel()
		_, w := pipe(t)
		startObserved(t, w, "json", ">&-").lives()
	})
	t.Run("all is closed", func(t *testing.T) {
		t.Parallel()
		startObserved(t, nil, "json", "<&- >&- 2>&-").lives()
	})
}

// The line that was lost first shows while nobody reads; once somebody does, every line is whole and the log says how
// many are missing.
func TestLostAuditLinesShow(t *testing.T) {
	t.Parallel()
	r, w := pipe(t)
	o := startObserved(t, w, "json", "")
	w.Close()
	eventually(t, "an audit line is lost", func() bool {
		for range 100 {
			o.ask("/config?" + strings.Repeat("x", 100))
			o.ask("/api/" + strings.Repeat("x", 1000))
		}
		_, body := o.ask("/readyz")
		return strings.Contains(body, `"audit_log"`)
	})
	status, body := o.ask("/readyz?strict=1")
	var health struct {
		Checks map[string]struct {
			OK     bool
			Detail string
			Since  time.Time
		}
	}
	if err := json.Unmarshal([]byte(body), &health); err != nil {
		t.Fatal(err)
	}
	c := health.Checks["audit_log"]
	if status != http.StatusServiceUnavailable || c.OK || !strings.Contains(c.Detail, "lost audit lines: ") || c.Since.IsZero() {
		t.Errorf("%d %+v", status, c)
	}
	if status, _ := o.ask("/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d", status)
	}
	lost, audits := 0.0, 0
	for lines := bufio.NewScanner(r); lost == 0 && lines.Scan(); {
		var fields map[string]any
		if err := json.Unmarshal(lines.Bytes(), &fields); err != nil {
			t.Fatalf("%v: %q", err, lines.Text())
		}
		if fields["component"] == "audit" {
			audits++
		}
		if fields["msg"] == "log lines were lost" {
			lost, _ = fields["audit"].(float64)
		}
	}
	if lost == 0 || audits == 0 || o.dropped("full") < int(lost) {
		t.Errorf("%d audit lines were written, %v are reported as lost", audits, lost)
	}
}

package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startLogging runs a gateway that writes its log to stderr. closed are redirections by which a shell closes file
// descriptors first.
func startLogging(t *testing.T, stderr *os.File, format, closed string) *gateway {
	t.Helper()
	g := newSite(t, options{bare: true, config: config{"log.format": format}}).newGateway()
	cmd := exec.Command("sh", "-c", `exec "$0" "$@" `+closed, binary, "serve", "--config", g.file)
	cmd.Stderr = stderr
	g.process = startCommand(t, cmd)
	eventually(t, "the gateway serves", func() bool { return listens(g.port) && listens(g.admin) })
	return g
}

// flood sends n requests over a few connections and fails the test unless each gets a status that is wanted.
func (g *gateway) flood(path string, n int, header http.Header, want func(status int) bool) {
	g.t.Helper()
	const clients = 8
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for range n / clients {
				req, _ := http.NewRequest("GET", "http://"+localhost(g.port)+path, nil)
				req.Header = header
				res, err := client.Do(req)
				if err != nil {
					g.t.Error(err)
					return
				}
				_, err = io.Copy(io.Discard, res.Body)
				res.Body.Close()
				if err != nil || !want(res.StatusCode) {
					g.t.Errorf("%s: %d, %v", path, res.StatusCode, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// visit sends n requests whose log lines are long. Each must be served.
func (g *gateway) visit(n int) {
	g.t.Helper()
	long := http.Header{"User-Agent": {strings.Repeat("x", 1000)}}
	g.flood("/", n, long, func(status int) bool { return status == http.StatusOK })
}

// dropped returns how many log lines were dropped for a reason.
func (g *gateway) dropped(reason string) int {
	g.t.Helper()
	_, after, _ := strings.Cut(g.text("/metrics"), `hubgate_log_lines_dropped_total{reason="`+reason+`"} `)
	text, _, _ := strings.Cut(after, "\n")
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		g.t.Fatalf("no metric of lines dropped for the reason %q", reason)
	}
	return int(n)
}

// works checks that visitors and probes are answered, and that SIGTERM ends the process.
func (g *gateway) works() {
	g.t.Helper()
	g.visit(2000)
	for _, path := range []string{"/livez", "/readyz", "/startupz"} {
		if status, body := g.request("GET", path, "", ""); status != http.StatusOK {
			g.t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if code := g.terminate(); code != 0 {
		g.t.Errorf("exit status %d, %v", code, g.cmd.ProcessState)
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

// Whatever happens to the reader of the log, visitors, probes and operators are answered.
func TestLogReaderNeverBlocksTheGateway(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"no reads, json":       func(t *testing.T) { logsWithoutReads(t, "json") },
		"no reads, text":       func(t *testing.T) { logsWithoutReads(t, "text") },
		"closed reader, json":  func(t *testing.T) { logsToClosedReader(t, "json") },
		"closed reader, text":  func(t *testing.T) { logsToClosedReader(t, "text") },
		"slow reader":          logsToSlowReader,
		"full disk":            logsToFullDisk,
		"stdout is closed":     func(t *testing.T) { _, w := pipe(t); startLogging(t, w, "json", ">&-").works() },
		"everything is closed": func(t *testing.T) { startLogging(t, nil, "json", "<&- >&- 2>&-").works() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

func logsWithoutReads(t *testing.T, format string) {
	_, w := pipe(t)
	g := startLogging(t, w, format, "")
	g.visit(2000)
	if g.dropped("full") == 0 {
		t.Error("no line was dropped")
	}
	g.signal(syscall.SIGHUP)
	g.works()
}

func logsToClosedReader(t *testing.T, format string) {
	r, w := pipe(t)
	g := startLogging(t, w, format, "")
	w.Close()
	r.Close()
	g.losesLines()
}

func logsToFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	startLogging(t, full, "json", "").losesLines()
}

// losesLines checks that lost lines are counted, and that the gateway works.
func (g *gateway) losesLines() {
	g.t.Helper()
	g.visit(100)
	eventually(g.t, "the lost lines are counted", func() bool { return g.dropped("write_error") > 0 })
	g.works()
}

func logsToSlowReader(t *testing.T) {
	r, w := pipe(t)
	g := startLogging(t, w, "json", "")
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
	g.works()
}

// Lost audit lines are reported at once by /readyz, and in the log once it is read again. No line is cut.
func TestAuditLogReportsLostLines(t *testing.T) {
	t.Parallel()
	r, w := pipe(t)
	g := startLogging(t, w, "json", "")
	w.Close()
	eventually(t, "an audit line is lost", func() bool {
		for range 100 {
			g.text("/config?" + strings.Repeat("x", 100))
			g.text("/api/" + strings.Repeat("x", 1000))
		}
		return strings.Contains(g.text("/readyz"), `"audit_log"`)
	})
	c := g.check("audit_log")
	if c.OK || !strings.Contains(c.Detail, "lost audit lines: ") || c.Since.IsZero() {
		t.Errorf("%+v", c)
	}
	if status, _ := g.request("GET", "/readyz?strict=1", "", ""); status != http.StatusServiceUnavailable {
		t.Errorf("/readyz?strict=1: %d", status)
	}
	if status, _ := g.request("GET", "/readyz", "", ""); status != http.StatusOK {
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
	if lost == 0 || audits == 0 || g.dropped("full") < int(lost) {
		t.Errorf("%d audit lines were written, %v reported as lost", audits, lost)
	}
}

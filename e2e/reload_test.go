package e2e

import (
	"fmt"
	"io"
	"net/http"
	"syscall"
	"testing"
)

func TestReloadLosesNoRequest(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	slow := make(chan struct{})
	s.origin.handle(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/download" {
			w.Write(make([]byte, 100_000))
			http.NewResponseController(w).Flush()
			<-slow
		}
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "page")
	})
	g := s.serve()
	host := localhost(g.port)
	l := newLoad()
	for range 4 {
		l.request(t, &keepAlive{address: host}, "POST", "/pricing", "x=1")
	}
	download := get(t, host, host, "/download")
	const reloaded = `"msg":"configuration reloaded"`
	for i := range 25 {
		g.set(config{"proxy.rules": fmt.Sprintf("[{path: /members/**}, {path: /round-%d/**}]", i)})
		if i%5 == 0 {
			g.signal(syscall.SIGHUP)
		}
		seen := l.requests.Load()
		eventually(t, "the rules are served", func() bool {
			return g.out.count(reloaded) > i && l.requests.Load() > seen
		})
	}
	close(slow)
	if n, err := io.Copy(io.Discard, download.Body); err != nil || n != 100_004 {
		t.Errorf("the download ended after %d bytes: %v", n, err)
	}
	l.stop()
	l.report(t)
	if n := g.out.count(reloaded); n != 25 {
		t.Errorf("25 changes caused %d reloads", n)
	}
}

func TestSIGHUPIsSafeAtAnyTime(t *testing.T) {
	t.Parallel()
	g := newSite(t, options{config: config{"server.drain_delay": "200ms"}}).newGateway()
	g.launch()
	g.waitFor(`"msg":"configuration"`) // the first line, before anything listens
	for range 50 {
		g.signal(syscall.SIGHUP)
	}
	g.waitFor(`"msg":"configuration unchanged"`)
	g.signal(syscall.SIGTERM)
	for range 50 {
		g.signal(syscall.SIGHUP)
	}
	if code := g.wait(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

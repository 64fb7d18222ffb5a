package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

func TestReloadsUnderLoadLoseNoRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	slow := make(chan struct{})
	w.origin.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/download" {
			rw.Write(make([]byte, 100_000))
			http.NewResponseController(rw).Flush()
			<-slow
		}
		io.Copy(io.Discard, r.Body)
		io.WriteString(rw, "page")
	})
	gw := w.serve()
	site := strings.TrimPrefix(w.site(), "http://")
	l := &load{over: make(chan struct{}), faults: make(chan string, 20)}
	for i := range 4 {
		k := &keepAlive{address: site}
		t.Cleanup(k.close)
		l.run(func() {
			if status, err := k.ask("POST", "/pricing", "x=1"); err != nil || status != http.StatusOK {
				l.fault("client %d: %d %v", i, status, err)
			}
			l.requests.Add(1)
		})
	}
	download := get(t, site, site, "/download")
	last := "    - path: /members/**\n"
	for i := range 25 {
		next := fmt.Sprintf("    - path: /members/**\n    - path: /round-%d/**\n", i)
		w.replace(last, next)
		last = next
		if i%5 == 0 {
			gw.signal(syscall.SIGHUP)
		}
		seen := l.requests.Load()
		eventually(t, "the rules are served", func() bool {
			return strings.Count(gw.out.String(), `"msg":"configuration reloaded"`) > i && l.requests.Load() > seen
		})
	}
	close(slow)
	if n, err := io.Copy(io.Discard, download.Body); err != nil || n != 100_004 {
		t.Errorf("the download ended after %d bytes: %v", n, err)
	}
	close(l.over)
	l.all.Wait()
	t.Logf("%d requests during 25 reloads, %d lost", l.requests.Load(), l.lost.Load())
	close(l.faults)
	for fault := range l.faults {
		t.Error(fault)
	}
	if n := strings.Count(gw.out.String(), `"msg":"configuration reloaded"`); n != 25 {
		t.Errorf("%d changes made %d reloads", 25, n)
	}
}

func TestASIGHUPAtAnyTimeEndsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.replace("drain_delay: 0s", "drain_delay: 200ms")
	gw := start(t, binary, "serve", "--config", w.config)
	gw.says(`"msg":"configuration"`) // the first line: nothing listens yet
	for range 50 {
		gw.signal(syscall.SIGHUP)
	}
	gw.says(`"msg":"configuration unchanged"`)
	gw.signal(syscall.SIGTERM)
	for range 50 {
		gw.signal(syscall.SIGHUP)
	}
	if code := gw.wait(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

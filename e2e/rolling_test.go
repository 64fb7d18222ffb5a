package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubgate/hubgate/proxy/fakesite"
)

// fleet is a site with three replicas behind a balancer.
type fleet struct {
	*site
	*balancer
	slow chan struct{} // receives a value when a download may continue
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{slow: make(chan struct{}), site: newSite(t, options{fronted: true, config: config{
		"server.trusted_proxies": "[none]", "server.drain_delay": "500ms", "server.drain_timeout": "20s",
	}})}
	echo := fakesite.New(fakesite.Config{})
	f.origin.handle(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/download":
			f.download(w)
		case strings.HasPrefix(r.URL.Path, "/workshop/"):
			echo.ServeHTTP(w, r)
		default:
			io.Copy(io.Discard, r.Body)
			io.WriteString(w, "<h1>page</h1>")
		}
	})
	var replicas []*replica
	for range 3 {
		replicas = append(replicas, &replica{gateway: f.newGateway()})
	}
	f.balancer = startBalancer(t, f.port, replicas)
	for _, r := range replicas {
		r.up()
	}
	return f
}

// up starts a replica and waits until the balancer passes requests to it.
func (r *replica) up() {
	r.t.Helper()
	r.launch()
	eventually(r.t, "the replica is ready", r.ready.Load)
}

// download sends a part, waits, and sends the rest.
func (f *fleet) download(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "200000")
	w.Write(make([]byte, 100_000))
	http.NewResponseController(w).Flush()
	<-f.slow
	w.Write(make([]byte, 100_000))
}

// load is a set of visitors who send requests until it is stopped.
type load struct {
	over                   chan struct{}
	all                    sync.WaitGroup
	requests, logins, lost atomic.Int64
	errors                 chan string
}

func newLoad() *load { return &load{over: make(chan struct{}), errors: make(chan string, 20)} }

// fail counts a lost request.
func (l *load) fail(format string, args ...any) {
	l.lost.Add(1)
	select {
	case l.errors <- fmt.Sprintf(format, args...):
	default:
	}
}

func (l *load) stop() {
	close(l.over)
	l.all.Wait()
}

// report fails the test with the lost requests.
func (l *load) report(t *testing.T) {
	t.Helper()
	t.Logf("%d requests and %d logins, %d lost", l.requests.Load(), l.logins.Load(), l.lost.Load())
	close(l.errors)
	for text := range l.errors {
		t.Error(text)
	}
}

// run calls once in a new goroutine until the load is stopped.
func (l *load) run(once func()) {
	l.all.Go(func() {
		for {
			select {
			case <-l.over:
				return
			default:
				once()
			}
		}
	})
}

// request repeats a request.
func (l *load) request(t *testing.T, k *keepAlive, method, path, body string) {
	t.Cleanup(k.close)
	l.run(func() { l.send(k, method, path, body) })
}

func (l *load) send(k *keepAlive, method, path, body string) {
	if status, err := k.do(method, path, body); err != nil || status != http.StatusOK {
		l.fail("%s %s: %d %v", method, path, status, err)
	}
	l.requests.Add(1)
}

// browse repeats a request with pauses. The connection is idle most of the time, and an answer that leaves it open when
// the listener closes loses the next request.
func (l *load) browse(t *testing.T, address string) {
	k := &keepAlive{address: address}
	t.Cleanup(k.close)
	repeat(&l.all, 30*time.Millisecond, l.over, func() { l.send(k, "GET", "/reading", "") })
}

func TestRollingRestartLosesNoRequest(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	member := newVisitor(t)
	f.login(member, "/members/")
	cookie := ""
	for _, c := range member.client.Jar.Cookies(mustURL(t, f.url)) {
		if c.Name == "hubgate" { // the provider is on this host, too, and a jar ignores ports
			cookie = "Cookie: " + c.Name + "=" + c.Value + "\r\n"
		}
	}
	l, address := newLoad(), local(f.port)
	for _, kind := range []struct{ method, path, cookie, body string }{
		{"GET", "/pricing", "", ""}, {"POST", "/contact", "", "name=Ada"},
		{"GET", "/members/a", cookie, ""}, {"POST", "/members/b", cookie, "x=1"},
	} {
		l.request(t, &keepAlive{address: address, cookie: kind.cookie}, kind.method, kind.path, kind.body)
	}
	for range 9 {
		l.browse(t, address)
	}
	l.run(func() {
		v := newVisitor(t)
		v.client.Transport = &http.Transport{DisableKeepAlives: true} // each step of the login at another replica
		if got := f.login(v, "/members/in-flight"); !f.shows(got, "/members/in-flight") {
			l.fail("a login ended with %d at %s", got.StatusCode, got.Request.URL)
		}
		l.logins.Add(1)
	})
	begun := f.beginLogins(3)
	for _, r := range f.replicas {
		f.restart(r, l)
	}
	l.stop()
	for _, finish := range begun {
		if got := finish(); !f.shows(got, "/members/begun") {
			l.fail("a login that had begun before ended with %d at %s", got.StatusCode, got.Request.URL)
		}
	}
	l.report(t)
	if l.requests.Load() < 100 || l.logins.Load() < 3 {
		t.Error("too few requests or logins")
	}
}

// beginLogins opens the provider's form n times. Each of the returned functions finishes one login.
func (f *fleet) beginLogins(n int) []func() page {
	var finish []func() page
	for range n {
		v := newVisitor(f.t)
		v.client.Transport = &http.Transport{DisableKeepAlives: true}
		form := v.open(f.url + "/members/begun")
		finish = append(finish, func() page { return f.submit(v, form) })
	}
	return finish
}

// restart stops a replica that serves a WebSocket, an event stream and a download, and starts it again.
func (f *fleet) restart(r *replica, l *load) {
	t, host, at := f.t, localhost(f.port), local(r.port)
	socket, fromSocket := openSocket(t, at, "/workshop/echo", host)
	download, stream := get(t, at, host, "/download"), get(t, at, host, "/workshop/live")
	before := l.requests.Load()
	r.signal(syscall.SIGTERM)
	eventually(t, "the metrics report the drain", func() bool {
		return strings.Contains(r.text("/metrics"), "hubgate_draining 1")
	})
	frame := make([]byte, 4)
	if _, err := io.ReadFull(fromSocket, frame); err != nil || string(frame) != "\x88\x02\x03\xe9" {
		t.Errorf("the WebSocket ends with % x, %v; want a Close frame with 1001", frame, err)
	}
	socket.Write([]byte{0x88, 0x82, 0, 0, 0, 0, 3, 0xe9})
	socket.Close()
	if _, err := io.Copy(io.Discard, stream.Body); err != nil {
		t.Errorf("the event stream ended early: %v", err)
	}
	if !strings.Contains(r.text("/readyz"), "draining") { // the public listener is closed by now
		t.Error("the admin listener closed before the last request ended")
	}
	f.slow <- struct{}{}
	if n, err := io.Copy(io.Discard, download.Body); err != nil || n != 200_000 {
		t.Errorf("the download ended after %d bytes: %v", n, err)
	}
	if code := r.wait(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	eventually(t, "the others serve", func() bool { return l.requests.Load() > before+20 })
	r.ready.Store(false)
	r.up()
}

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubgate/hubgate/proxy/fakesite"
)

// fleet are three replicas of one site behind a balancer.
type fleet struct {
	*world
	*balancer
	bal     int           // the balancer's port: the site's
	slow    chan struct{} // one value: a download goes on
	configs []string
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	w := newWorld(t)
	f := &fleet{world: w, bal: w.port, slow: make(chan struct{})}
	site := fakesite.New(fakesite.Config{})
	w.origin.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/download":
			f.download(rw)
		case strings.HasPrefix(r.URL.Path, "/workshop/"):
			site.ServeHTTP(rw, r)
		default:
			io.Copy(io.Discard, r.Body)
			io.WriteString(rw, "<h1>page</h1>")
		}
	})
	ports := freePorts(t, 6)
	var replicas []*replica
	for i := range 3 {
		replicas = append(replicas, &replica{port: ports + 2*i, adminPort: ports + 2*i + 1})
		text := strings.NewReplacer(
			fmt.Sprintf(`listen: "127.0.0.1:%d"`, w.port), fmt.Sprintf(`listen: "127.0.0.1:%d"`, ports+2*i),
			fmt.Sprintf(`admin_listen: "127.0.0.1:%d"`, w.adminPort), fmt.Sprintf(`admin_listen: "127.0.0.1:%d"`, ports+2*i+1),
			"drain_delay: 0s", "drain_delay: 500ms", "drain_timeout: 5s", "drain_timeout: 20s",
			"server:\n", "server:\n  trusted_proxies: [none]\n",
		).Replace(w.yaml())
		f.configs = append(f.configs, write(t, "hubgate.yaml", text))
	}
	f.balancer = startBalancer(t, f.bal, replicas)
	for i := range replicas {
		f.up(i)
	}
	return f
}

// up starts a replica and waits until the balancer sends it visitors.
func (f *fleet) up(i int) {
	f.world.t.Helper()
	r := f.replicas[i]
	r.process = start(f.world.t, binary, "serve", "--config", f.configs[i])
	eventually(f.world.t, "the replica is ready", r.ready.Load)
}

// download sends a part, and the rest when it may.
func (f *fleet) download(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "200000")
	w.Write(make([]byte, 100_000))
	http.NewResponseController(w).Flush()
	<-f.slow
	w.Write(make([]byte, 100_000))
}

// load is what visitors do meanwhile.
type load struct {
	over                   chan struct{}
	all                    sync.WaitGroup
	requests, logins, lost atomic.Int64
	faults                 chan string
}

func (l *load) fault(format string, args ...any) {
	l.lost.Add(1)
	select {
	case l.faults <- fmt.Sprintf(format, args...):
	default:
	}
}

// run repeats something until it is over.
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

// browse is a visitor who reads each page for a while: the connection is idle most of the time, and no answer may have left it open when
// the listener closes.
func (l *load) browse(t *testing.T, site string) {
	k, tick := &keepAlive{address: site}, time.NewTicker(30*time.Millisecond)
	t.Cleanup(func() { k.close(); tick.Stop() })
	l.run(func() {
		<-tick.C
		if status, err := k.ask("GET", "/reading", ""); err != nil || status != http.StatusOK {
			l.fault("a reader: %d %v", status, err)
		}
		l.requests.Add(1)
	})
}

func TestARollingRestartLosesNoRequestAndNoLogin(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	site := "127.0.0.1:" + strconv.Itoa(f.bal)
	member := newVisitor(t)
	f.login(member, "/members/")
	cookie := ""
	for _, c := range member.client.Jar.Cookies(mustURL(t, f.site())) {
		if c.Name == "hubgate" { // the jar knows no ports: the provider is on this host, too
			cookie = "Cookie: " + c.Name + "=" + c.Value + "\r\n"
		}
	}
	l := &load{over: make(chan struct{}), faults: make(chan string, 20)}
	for i, kind := range []struct{ method, path, cookie, body string }{
		{"GET", "/pricing", "", ""}, {"POST", "/contact", "", "name=Ada"}, {"GET", "/members/a", cookie, ""}, {"POST", "/members/b", cookie, "x=1"},
	} {
		k := &keepAlive{address: site, cookie: kind.cookie}
		t.Cleanup(k.close)
		l.run(func() {
			if status, err := k.ask(kind.method, kind.path, kind.body); err != nil || status != http.StatusOK {
				l.fault("request %d: %s %s: %d %v", i, kind.method, kind.path, status, err)
			}
			l.requests.Add(1)
		})
	}
	for range 9 {
		l.browse(t, site)
	}
	l.run(func() {
		v := newVisitor(t)
		v.client.Transport = &http.Transport{DisableKeepAlives: true} // each step of the login at another replica
		if page := f.login(v, "/members/in-flight"); page.StatusCode != http.StatusOK || page.Request.URL.Path != "/members/in-flight" {
			l.fault("a login ended with %d at %s", page.StatusCode, page.Request.URL)
		}
		l.logins.Add(1)
	})
	begun := f.beginLogins(3)
	for i := range f.replicas {
		f.restart(i, l)
	}
	close(l.over)
	l.all.Wait()
	for _, finish := range begun {
		if page := finish(); page.StatusCode != http.StatusOK || page.Request.URL.Path != "/members/begun" {
			l.fault("a login that began before ended with %d at %s", page.StatusCode, page.Request.URL)
		}
	}
	t.Logf("%d requests and %d logins during three restarts, %d lost", l.requests.Load(), l.logins.Load(), l.lost.Load())
	close(l.faults)
	for fault := range l.faults {
		t.Error(fault)
	}
	if l.requests.Load() < 100 || l.logins.Load() < 3 {
		t.Error("that is no load")
	}
}

// beginLogins opens the provider's form; each result finishes one login.
func (f *fleet) beginLogins(n int) []func() seen {
	var finish []func() seen
	for range n {
		v := newVisitor(f.world.t)
		v.client.Transport = &http.Transport{DisableKeepAlives: true}
		form := v.open(f.site() + "/members/begun")
		finish = append(finish, func() seen {
			return v.submit(form, "/login/username", map[string]string{"username": "test-user@localhost", "password": "verysecure"})
		})
	}
	return finish
}

// restart ends a replica while a WebSocket, an event stream and a download are open there, and starts it again.
func (f *fleet) restart(i int, l *load) {
	t, r := f.world.t, f.replicas[i]
	host := "localhost:" + strconv.Itoa(f.bal)
	at := "127.0.0.1:" + strconv.Itoa(r.port)
	socket, fromSocket := openSocket(t, at, "/workshop/echo", host)
	download, stream := get(t, at, host, "/download"), get(t, at, host, "/workshop/live")
	before := l.requests.Load()
	r.process.signal(syscall.SIGTERM)
	eventually(t, "the metrics say that it drains", func() bool { return strings.Contains(adminText(r.adminPort, "/metrics"), "hubgate_draining 1") })
	frame := make([]byte, 4)
	if _, err := io.ReadFull(fromSocket, frame); err != nil || string(frame) != "\x88\x02\x03\xe9" {
		t.Errorf("the WebSocket ends with % x, %v; want a Close frame with 1001", frame, err)
	}
	socket.Write([]byte{0x88, 0x82, 0, 0, 0, 0, 3, 0xe9})
	socket.Close()
	if _, err := io.Copy(io.Discard, stream.Body); err != nil {
		t.Errorf("the event stream broke off: %v", err)
	}
	if !strings.Contains(adminText(r.adminPort, "/readyz"), "draining") { // the listener for visitors is closed by now
		t.Error("the admin listener ended before the last visitor")
	}
	f.slow <- struct{}{}
	if n, err := io.Copy(io.Discard, download.Body); err != nil || n != 200_000 {
		t.Errorf("the download ended after %d bytes: %v", n, err)
	}
	if code := r.process.wait(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	eventually(t, "the others serve", func() bool { return l.requests.Load() > before+20 })
	r.ready.Store(false)
	f.up(i)
}

// get begins a request at one replica.
func get(t *testing.T, at, host, path string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(60 * time.Second))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v %v", path, res, err)
	}
	return res
}

// adminText is what the admin listener answers; "" when it does not.
func adminText(port int, path string) string {
	res, err := http.Get(address(port) + path)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return string(text)
}

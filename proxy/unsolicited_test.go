package proxy

import (
	"bufio"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A response must not decide what the request decides: what becomes of the connection, and whether a cache is valid.
func TestUnsolicitedResponseIsBadGateway(t *testing.T) {
	t.Parallel()
	const switching = "HTTP/1.1 101 Switching Protocols\r\n"
	form := []string{"Content-Type: application/x-www-form-urlencoded", "Content-Length: 0"}
	other := []string{"Connection: Upgrade", "Upgrade: h2c"}
	socket := strings.Split(strings.TrimSuffix(upgrade, "\r\n"), "\r\n")
	for name, c := range map[string]struct {
		said    string
		method  string
		headers []string
	}{
		"101 to a POST": {switching + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "POST",
			form},
		"101 to a PUT without a protocol": {switching + "\r\n", "PUT", form},
		"101 to a DELETE": {switching + "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "DELETE",
			nil},
		"101 to a GET": {switching + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "GET",
			nil},
		"101 to another upgrade": {switching + "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "GET",
			other},
		"101 to a WebSocket, of another kind": {switching + "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "GET",
			socket},
		"101 to a WebSocket, of two kinds": {switching +
			"Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n\r\n", "GET", socket},
		"101 to a WebSocket, of none": {switching + "\r\n", "GET", socket},
		"101 to a WebSocket that is a POST": {switching + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "POST",
			append(form, socket...)},
		"a status below 100":                {"HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\nok", "POST", form},
		"no status":                         {"HTTP/1.1 000 Odd\r\nContent-Length: 2\r\n\r\nok", "POST", form},
		"early answers without a final one": {strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 3), "POST", form},
		"not modified without a condition": {"HTTP/1.1 304 Not Modified\r\nEtag: \"x\"\r\n\r\n", "GET",
			[]string{`If-None-Match: "x"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ended atomic.Bool
			s := newStage(t, staging{cfg: testConfig(says(t, c.said), loginRule("/members/**")),
				change: func(d *stubs) {
					d.redecide = func(Open) bool { return !ended.Load() }
				}})
			ended.Store(true)
			got := s.get(t, c.method, "/members/x", append(c.headers, asBob, "Accept: text/html")...)
			if got.StatusCode != http.StatusBadGateway || !strings.Contains(got.body, s.last.Load().ID) {
				t.Errorf("%d %s", got.StatusCode, got.body)
			}
		})
	}
}

func TestUpgradeOfHTTP10IsIgnored(t *testing.T) {
	t.Parallel()
	s := newStage(t, staging{cfg: testConfig(newOrigin(t, headersOf).URL)})
	got := s.raw(t, "GET / HTTP/1.0\r\nHost: "+testHost+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.0 200 ") || strings.Contains(got, "\nUpgrade") {
		t.Error(got)
	}
}

// Framing stays strict although a body looks like a 101 response, for every kind of request.
func TestFramingStaysStrictAfterFake101(t *testing.T) {
	t.Parallel()
	const size = 16 << 10
	text := ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + strings.Repeat("x", size))[:size]
	begun := make(chan struct{})
	s := newStage(t, staging{cfg: testConfig(newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost { // what should not have come here
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(size))
		w.(http.Flusher).Flush()
		<-begun // the text begins a new write
		io.WriteString(w, text)
	}).URL)})
	for _, asked := range []string{"Upgrade: x\r\n", "Connection: Upgrade\r\nUpgrade: h2c\r\n", upgrade} {
		conn := s.dial(t)
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: "+testHost+"\r\n"+asked+"\r\n")
		in := bufio.NewReader(conn)
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		begun <- struct{}{}
		if n, err := io.Copy(io.Discard, res.Body); n != size || err != nil {
			t.Fatal(n, err)
		}
		smuggled := "POST / HTTP/1.1\r\nHost: " + testHost + "\r\n" +
			"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
		io.WriteString(conn, smuggled)
		answer, _ := io.ReadAll(in)
		if !strings.Contains(string(answer), "HTTP/1.1 400 ") {
			t.Errorf("%q: then the body of two lengths is answered %.200q", asked, answer)
		}
	}
}

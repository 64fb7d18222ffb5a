package faultproxy

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// echo starts a server that echoes its input and returns its address.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); io.Copy(c, c) }()
		}
	}()
	return l.Addr().String()
}

func newProxy(t *testing.T) *Proxy {
	t.Helper()
	p, err := New(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// ask sends a line and returns the reply, "silence" if there is none in time, or "end" if the connection was closed.
func ask(c net.Conn) string {
	c.Write([]byte("hello\n"))
	c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	got := make([]byte, 6)
	n, err := io.ReadFull(c, got)
	switch {
	case err == nil:
		return string(got)
	case n == 0 && errors.Is(err, os.ErrDeadlineExceeded):
		return "silence"
	default:
		return "end"
	}
}

func TestFaultAffectsConnections(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault    Fault
		old, new string
	}{
		"none":      {Fault{}, "hello\n", "hello\n"},
		"hang":      {Fault{Hang: true}, "silence", "silence"},
		"half open": {Fault{HalfOpen: true}, "silence", "silence"},
		"garbage":   {Fault{Garbage: true}, "HTTP/1", "HTTP/1"},
		"pieces":    {Fault{PerChunk: 1}, "hello\n", "hello\n"},
		"refuse":    {Fault{Refuse: true}, "end", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t)
			open := dial(t, p)
			if got := ask(open); got != "hello\n" {
				t.Fatalf("before: %q", got)
			}
			if err := p.Set(test.fault); err != nil {
				t.Fatal(err)
			}
			if got := ask(open); got != test.old {
				t.Errorf("an open connection: %q, want %q", got, test.old)
			}
			fresh, err := net.Dial("tcp", p.Addr())
			if err != nil {
				if test.new != "refused" {
					t.Errorf("a new connection: %v", err)
				}
			} else {
				if got := ask(fresh); got != test.new {
					t.Errorf("a new connection: %q, want %q", got, test.new)
				}
				fresh.Close()
			}
			if err := p.Set(Fault{}); err != nil {
				t.Fatal(err)
			}
			if got := ask(dial(t, p)); got != "hello\n" {
				t.Errorf("after the fault: %q", got)
			}
		})
	}
}

func TestCutResetsConnections(t *testing.T) {
	t.Parallel()
	p := newProxy(t)
	c := dial(t, p)
	if got := ask(c); got != "hello\n" {
		t.Fatal(got)
	}
	p.Cut()
	if got := ask(c); got != "end" {
		t.Errorf("a cut connection: %q", got)
	}
	if got := ask(dial(t, p)); !strings.HasPrefix(got, "hello") || p.Accepted() != 2 {
		t.Errorf("a new one: %q, %d accepted", got, p.Accepted())
	}
}

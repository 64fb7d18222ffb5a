package connlimit

import (
	"io"
	"net"
	"net/netip"
	"testing"
)

func TestConnectionsOfOneClientAreLimited(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		exempt []netip.Prefix
		third  bool
	}{
		"a visitor":       {nil, false},
		"a trusted proxy": {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tcp, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			l := New(tcp, 0, func() PerClient { return PerClient{2, c.exempt} })
			t.Cleanup(func() { l.Close() })
			go greet(l)
			first, second := dial(t, l), dial(t, l)
			if !greeted(first) || !greeted(second) {
				t.Fatal("connections within the limit were refused")
			}
			if got := greeted(dial(t, l)); got != c.third {
				t.Errorf("the third connection was admitted: %v, want %v", got, c.third)
			}
			first.Close()
			for !greeted(dial(t, l)) { // until the slot is free again
			}
		})
	}
}

func TestConnectionAboveTheTotalWaitsForASlot(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := New(tcp, 2, func() PerClient { return PerClient{} })
	t.Cleanup(func() { l.Close() })
	accepted := make(chan net.Conn)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- conn
		}
	}()
	dial(t, l)
	dial(t, l)
	first, _ := <-accepted, <-accepted
	dial(t, l)
	select {
	case <-accepted:
		t.Fatal("a third connection was accepted")
	default:
	}
	first.Close()
	first.Close() // closing twice releases one slot
	if third := <-accepted; third == nil {
		t.Fatal("the listener is closed")
	}
	l.Close()
	if _, open := <-accepted; open {
		t.Error("a closed listener accepts connections")
	}
}

func TestLimitCountsAnIPv6NetworkAsOneClient(t *testing.T) {
	t.Parallel()
	l := New(nil, 0, func() PerClient { return PerClient{Limit: 1} }).(*listener)
	first, neighbor, other := l.admit(netip.MustParseAddr("2001:db8::1")), l.admit(netip.MustParseAddr("2001:db8::2")),
		l.admit(netip.MustParseAddr("2001:db8:0:1::1"))
	if !first || neighbor || !other {
		t.Errorf("admitted: %v, the same network %v, another network %v", first, neighbor, other)
	}
}

// greet sends a byte to every connection and keeps it open until the peer closes it.
func greet(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			io.WriteString(conn, "x")
			io.Copy(io.Discard, conn)
		}()
	}
}

func dial(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func greeted(conn net.Conn) bool {
	n, _ := conn.Read(make([]byte, 1))
	return n == 1
}

package demo

import (
	"io"
	"net/http"
	"net/netip"
	"testing"
)

// TestFakesAnswerNoOtherName sends what a browser sends to a website whose name leads to this machine meanwhile.
func TestFakesAnswerNoOtherName(t *testing.T) {
	t.Parallel()
	server, err := listenFake(netip.MustParseAddrPort("127.0.0.1:0"), http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "contacts") }))
	if err != nil {
		t.Fatal(err)
	}
	go server.server.Serve(server.listener)
	t.Cleanup(func() { server.server.Close() })
	for host, want := range map[string]int{
		"127.0.0.1:8082": 200, "localhost:8082": 200, "[::1]:8082": 200, "192.168.1.20:8082": 200,
		"rebind.example:8082": 421, "127.0.0.1.rebind.example:8082": 421, "localhost.rebind.example": 421,
	} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+server.listener.Addr().String(), nil)
		req.Host = host
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %d, want %d", host, res.StatusCode, want)
		}
	}
}

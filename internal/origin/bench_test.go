package origin

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkRoundTrip compares both paths to an origin, including the origin's own work. For https, net/http uses
// HTTP/2.
func BenchmarkRoundTrip(b *testing.B) {
	page := make([]byte, 1024)
	for _, secure := range []bool{false, true} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter,
			r *http.Request) {
			w.Write(page)
		}))
		name := "http"
		if server.EnableHTTP2 = secure; secure {
			name = "https"
			server.StartTLS()
		} else {
			server.Start()
		}
		b.Cleanup(server.Close)
		tr := reach(b, server.URL, named)
		if secure {
			tr.trust(server)
		}
		for way, rt := range map[string]http.RoundTripper{"direct": tr, "net/http": tr.others} {
			b.Run(name+"/"+way, func(b *testing.B) {
				b.ReportAllocs()
				b.SetParallelism(32)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						res, err := rt.RoundTrip(tr.request(b.Context(), "GET", "/"))
						if err != nil {
							b.Error(err)
							return
						}
						io.Copy(io.Discard, res.Body)
						res.Body.Close()
					}
				})
			})
		}
	}
}

package e2e

import (
	"errors"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"
)

// router passes requests to the gateways in turn, or to one, and tries the next if one does not answer.
type router struct {
	targets atomic.Pointer[[]*url.URL]
	turn    atomic.Int64
	pinned  atomic.Int64 // index of the only gateway; -1: all in turn
}

func startRouter(t *testing.T, port int) *router {
	t.Helper()
	b := &router{}
	b.targets.Store(&[]*url.URL{})
	b.pinned.Store(-1)
	serveHTTP(t, port, &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.RawQuery = r.In.URL.RawQuery
			r.Out.Host = r.In.Host
		},
		Transport:    b,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	})
	return b
}

// serveHTTP runs a server until the test ends.
func serveHTTP(t *testing.T, port int, handler http.Handler) {
	t.Helper()
	server := &http.Server{Handler: handler}
	l, done := listen(t, port), make(chan struct{})
	go func() { defer close(done); server.Serve(l) }()
	t.Cleanup(func() { server.Close(); <-done })
}

func (b *router) add(port int) {
	u := &url.URL{Scheme: "http", Host: local(port)}
	next := append(append([]*url.URL{}, *b.targets.Load()...), u)
	b.targets.Store(&next)
}

// pin passes all requests to one gateway; -1: to all in turn.
func (b *router) pin(gateway int) { b.pinned.Store(int64(gateway)) }

// toGateway is the header by which a request selects a gateway.
const toGateway = "X-To-Gateway"

// openAt opens a page at one gateway, regardless of the router. It does not follow redirects.
func (v *visitor) openAt(s *site, gateway int, path string) page {
	v.t.Helper()
	chosen := *v
	chosen.client = &http.Client{Jar: v.client.Jar, Timeout: v.client.Timeout, CheckRedirect: stay,
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.Header.Set(toGateway, strconv.Itoa(gateway))
			return http.DefaultTransport.RoundTrip(r)
		})}
	return chosen.open(s.url + path)
}

// RoundTrip tries each gateway once, and the next one only if a gateway does not answer.
func (b *router) RoundTrip(r *http.Request) (*http.Response, error) {
	targets := *b.targets.Load()
	first, tries := int(b.turn.Add(1)), len(targets)
	pinned := b.pinned.Load()
	if own, err := strconv.Atoi(r.Header.Get(toGateway)); err == nil {
		pinned = int64(own)
	}
	if pinned >= 0 {
		first, tries = int(pinned), 1
	}
	err := errors.New("no gateway")
	for try := range tries {
		target := targets[(first+try)%len(targets)]
		out := r.Clone(r.Context())
		out.URL.Scheme, out.URL.Host = target.Scheme, target.Host
		var res *http.Response
		if res, err = http.DefaultTransport.RoundTrip(out); err == nil {
			return res, nil
		}
		if r.Body != nil && r.Body != http.NoBody {
			break
		}
	}
	return nil, err
}

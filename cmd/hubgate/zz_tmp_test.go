package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/session"
)

type fakeRT struct{}

func (fakeRT) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: 1024,
		Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}, "Content-Length": {"1024"}, "Cache-Control": {"public"}, "Date": {"x"}},
		Body:   io.NopCloser(strings.NewReader(strings.Repeat("x", 1024)))}, nil
}

type nullW struct{ h http.Header }

func (w *nullW) Header() http.Header         { return w.h }
func (w *nullW) Write(p []byte) (int, error) { return len(p), nil }
func (w *nullW) WriteHeader(int)             {}
func (w *nullW) Flush()                      {}

func benchReq(cookie string) *http.Request {
	r := httptest.NewRequest("GET", "http://localhost:8080/members/handbook", nil)
	r.RequestURI = "/members/handbook"
	r.Host = "localhost:8080"
	r.URL, _ = url.ParseRequestURI("/members/handbook")
	for k, v := range map[string]string{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "Accept": "text/html,application/xhtml+xml", "Accept-Language": "en", "Accept-Encoding": "gzip",
		"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-User": "?1", "Upgrade-Insecure-Requests": "1", "Referer": "x"} {
		r.Header.Set(k, v)
	}
	r.Header.Set("Cookie", "hubspotutk=0123456789abcdef0123456789abcdef; "+cookie)
	return r
}

func BenchmarkBare(b *testing.B) {
	u, _ := url.Parse("http://127.0.0.1:1")
	p := &httputil.ReverseProxy{Rewrite: func(pr *httputil.ProxyRequest) { pr.SetURL(u) }, Transport: fakeRT{}, BufferPool: &tmpBuf{make(chan []byte, 4)}}
	r := benchReq("x=y")
	b.ReportAllocs()
	for b.Loop() {
		p.ServeHTTP(&nullW{http.Header{}}, r)
	}
}

type tmpBuf struct{ c chan []byte }

func (t *tmpBuf) Get() []byte {
	select {
	case b := <-t.c:
		return b
	default:
		return make([]byte, 32<<10)
	}
}
func (t *tmpBuf) Put(b []byte) { t.c <- b }

func benchGateway(b *testing.B, access, ttl string) {
	dir := b.TempDir()
	os.WriteFile(dir+"/c.yaml", []byte(`version: 1
server: {public_urls: ["http://localhost:8080"], listen: "127.0.0.1:0", admin_listen: "127.0.0.1:0"}
proxy:
  origin: "http://127.0.0.1:1"
  default: public
  rules: [{path: /members/**},{path: /partners/**, groups: [partner]}]
auth: {issuer: "http://127.0.0.1:1/bench", client_id: web, client_secret: secret}
session:
  keys: ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]
  cache_ttl: `+ttl+`
  redis: {mode: embedded}
log: {access: `+access+`}
`), 0o600)
	devnull, _ := os.OpenFile("/dev/null", os.O_WRONLY, 0)
	g, err := newGateway(serveConfig{path: dir + "/c.yaml", getenv: func(string) string { return "" }, stderr: devnull})
	if err != nil {
		b.Fatal(err)
	}
	g.transport = fakeRT{}
	gen, err := g.newGeneration(g.current.Load().cfg, g.current.Load().report)
	if err != nil {
		b.Fatal(err)
	}
	g.swap(gen)
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(cancel)
	go g.sessions.Run(ctx)
	site, _ := inbound.ParseSite("http://localhost:8080")
	rec := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/", nil)
	r = r.WithContext(inbound.With(r.Context(), &inbound.Facts{Site: site}))
	if _, err := g.sessions.Start(rec, r, session.Session{User: session.User{Issuer: "http://127.0.0.1:1/bench", Subject: "a", Email: "a@b.c", Claims: map[string]any{"a": "b"}}, ClientID: "web"}); err != nil {
		b.Fatal(err)
	}
	c := rec.Result().Cookies()[0]
	req := benchReq(c.Name + "=" + c.Value)
	w := httptest.NewRecorder()
	for range 100 {
		w = httptest.NewRecorder()
		g.ServeHTTP(w, req)
	}
	if w.Code != 200 || !bytes.Contains(w.Body.Bytes(), []byte("xxx")) {
		b.Fatal(w.Code, w.Body.String())
	}
	b.ReportAllocs()
	for b.Loop() {
		g.ServeHTTP(&nullW{http.Header{}}, req)
	}
}

func BenchmarkCached(b *testing.B)    { benchGateway(b, "false", "1h") }
func BenchmarkCachedLog(b *testing.B) { benchGateway(b, "true", "1h") }
func BenchmarkStrict(b *testing.B)    { benchGateway(b, "false", "none") }

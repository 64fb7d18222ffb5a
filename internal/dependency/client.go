package dependency

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// ClientConfig configures a client.
type ClientConfig struct {
	Name    Name
	Timeout time.Duration // of a whole call, including the body
	MaxBody int64         // maximum size of a response body in bytes, after decompression
	Metrics *Metrics
	TraceID func(context.Context) string // for exemplars; may be nil
	// Base is the underlying transport. If it is nil, the client gets its own, so that dependencies do not share
	// connections.
	Base http.RoundTripper
}

// ErrTooLarge means that a response body was larger than the client's limit.
var ErrTooLarge = errors.New("dependency: response too large")

// NewClient returns the client of one dependency.
func NewClient(cfg ClientConfig) *http.Client {
	base := cfg.Base
	if base == nil {
		base = newTransport()
	}
	return &http.Client{
		Timeout:   cfg.Timeout,
		Transport: Measured(cfg, base),
		// A followed redirect could send an authorization code or a secret to another server (open redirect, CWE-601;
		// server-side request forgery, CWE-918). Callers receive it as a response.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Measured wraps a transport. It counts the calls under cfg.Name and limits response bodies to cfg.MaxBody (0 = no
// limit). The reverse proxy uses it without a limit, because pages may have any size.
func Measured(cfg ClientConfig, next http.RoundTripper) http.RoundTripper {
	return &transport{cfg: cfg, next: next}
}

func newTransport() *http.Transport {
	return &http.Transport{
		// Proxy is not set, so that HTTP_PROXY in the environment has no effect (httpoxy, CVE-2016-5385).
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    16,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
	}
}

type transport struct {
	cfg  ClientConfig
	next http.RoundTripper
}

// RoundTrip sends the request, records its metrics and limits the response body.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	start := time.Now()
	res, err := t.next.RoundTrip(r)
	call := Call{Op: OpOf(r.Context(), t.cfg.Name), Result: resultOf(res, err), Took: time.Since(start)}
	if t.cfg.TraceID != nil {
		call.TraceID = t.cfg.TraceID(r.Context())
	}
	t.cfg.Metrics.Observe(t.cfg.Name, call)
	if err != nil {
		return nil, err
	}
	if t.cfg.MaxBody > 0 && res.StatusCode != http.StatusSwitchingProtocols {
		res.Body = &cappedBody{ReadCloser: res.Body, left: t.cfg.MaxBody}
	}
	return res, nil
}

// cappedBody limits the bytes read from a hostile or broken server (decompression bomb, CWE-409; endless response,
// CWE-400). It counts bytes after decompression.
type cappedBody struct {
	io.ReadCloser
	left int64
}

func (b *cappedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		// Reading one more byte distinguishes a body that ends at the limit from a longer one.
		n, err := b.ReadCloser.Read(make([]byte, 1))
		if n > 0 {
			return 0, ErrTooLarge
		}
		return 0, err
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}

func resultOf(res *http.Response, err error) Result {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	case err != nil:
		return Failed
	case res.StatusCode == http.StatusTooManyRequests:
		return Throttled
	case res.StatusCode >= 500:
		return ServerError
	case res.StatusCode >= 400:
		return ClientError
	}
	return OK
}

// ResultOf returns the result of a call that has no HTTP response.
func ResultOf(err error) Result {
	if err == nil {
		return OK
	}
	return resultOf(nil, err)
}

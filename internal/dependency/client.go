package dependency

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// ClientConfig bounds a client.
type ClientConfig struct {
	Name    Name
	Timeout time.Duration // of a whole call, the body included
	MaxBody int64         // bytes of an answer that are read after decompression; more is an error
	Metrics *Metrics
	TraceID func(context.Context) string // for exemplars; nil = none
	// Base is the transport below; nil makes one of its own, so that no two dependencies share connections or credentials.
	Base http.RoundTripper
}

// ErrTooLarge says that an answer was longer than the client's limit.
var ErrTooLarge = errors.New("dependency: answer is too large")

// NewClient makes the client of one dependency.
func NewClient(cfg ClientConfig) *http.Client {
	base := cfg.Base
	if base == nil {
		base = newTransport()
	}
	return &http.Client{
		Timeout:   cfg.Timeout,
		Transport: Measured(cfg, base),
		// A redirect would carry a code or a secret to wherever the answer points (RP-18, RP-20, SX-07): it is an answer like any other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Measured wraps a transport: its calls are counted under cfg.Name, its answers capped at cfg.MaxBody (0 = not at all). The reverse
// proxy uses it by itself, for a page may be as long as it likes.
func Measured(cfg ClientConfig, next http.RoundTripper) http.RoundTripper {
	return &transport{cfg: cfg, next: next}
}

func newTransport() *http.Transport {
	return &http.Transport{
		// No Proxy: HTTP_PROXY from the environment is never obeyed (httpoxy, HS-11).
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

// RoundTrip sends the request, measures it and caps the answer.
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

// cappedBody bounds what a hostile or broken peer can make us read (DS-07: gzip bombs, endless answers). The limit counts what the
// reader sees, so it holds after the transport's decompression.
type cappedBody struct {
	io.ReadCloser
	left int64
}

func (b *cappedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		// One more byte tells an answer that ends at the limit from one that goes on.
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

// ResultOf sorts how a call without an HTTP answer ended.
func ResultOf(err error) Result {
	if err == nil {
		return OK
	}
	return resultOf(nil, err)
}

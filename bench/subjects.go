package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// pageSize is the size of the origin's page.
const pageSize = 1024

// serveOrigin serves the same small page for every request.
func serveOrigin(ctx context.Context, args []string) error {
	page := []byte(strings.Repeat("x", pageSize))
	return serve(ctx, args[0], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=3600")
		w.Write(page)
	}))
}

// serveBare serves the reference: net/http's reverse proxy with a large connection pool and pooled buffers.
func serveBare(ctx context.Context, args []string) error {
	origin := &url.URL{Scheme: "http", Host: args[1]}
	return serve(ctx, args[0], &httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) { pr.SetURL(origin) },
		Transport: &http.Transport{
			MaxIdleConns: 2048, MaxIdleConnsPerHost: 1024, IdleConnTimeout: 90 * time.Second,
			ResponseHeaderTimeout: 30 * time.Second,
			DisableCompression:    true, ReadBufferSize: 16 << 10, WriteBufferSize: 16 << 10,
		},
		BufferPool: &bufferPool{},
	})
}

func serve(ctx context.Context, addr string, h http.Handler) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 10 * time.Minute}
	defer context.AfterFunc(ctx, func() { s.Close() })()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type bufferPool struct{ pool sync.Pool }

type buffer [32 << 10]byte

func (b *bufferPool) Get() []byte {
	if kept, ok := b.pool.Get().(*buffer); ok {
		return kept[:]
	}
	return new(buffer)[:]
}

func (b *bufferPool) Put(used []byte) { b.pool.Put((*buffer)(used)) }

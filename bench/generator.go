package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// generator is a load generator: it sends requests over a number of persistent connections. It implements only the
// HTTP/1.1 that it needs, because its own CPU use disturbs the measurement.
type generator struct{ conns []*generatorConn }

type generatorConn struct {
	net.Conn
	in *bufio.Reader
}

func newGenerator(addr string, conns int) (*generator, error) {
	g := &generator{}
	for range conns {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			g.close()
			return nil, err
		}
		g.conns = append(g.conns, &generatorConn{conn, bufio.NewReaderSize(conn, 8<<10)})
	}
	return g, nil
}

func (g *generator) close() {
	for _, c := range g.conns {
		c.Close()
	}
}

// send sends n requests, made by request(0) to request(n-1), and expects status 200 for each.
func (g *generator) send(ctx context.Context, n int, request func(i int) []byte) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range g.conns {
		group.Go(func() error {
			for i := int(next.Add(1)); i <= n && ctx.Err() == nil; i = int(next.Add(1)) {
				if err := c.exchange(request(i - 1)); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}

var (
	statusOK      = []byte("HTTP/1.1 200 ")
	contentLength = []byte("Content-Length: ")
)

func (c *generatorConn) exchange(request []byte) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	status, length := []byte(nil), -1
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch value, found := bytes.CutPrefix(line, contentLength); {
		case status == nil:
			if status = statusOK; !bytes.HasPrefix(line, statusOK) {
				return fmt.Errorf("unexpected status line %q", line)
			}
		case found:
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		case len(line) == 0 && length < 0:
			return errors.New("response without Content-Length")
		case len(line) == 0:
			_, err := io.CopyN(io.Discard, c.in, int64(length))
			return err
		}
	}
}

// get returns a request with headers like a browser's, in number and length.
func get(host, path, cookie string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\n", path, host)
	b.WriteString("User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) " +
		"Chrome/142.0.0.0 Safari/537.36\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
		"Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n" +
		"Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\n" +
		"Sec-Fetch-User: ?1\r\n" +
		"Upgrade-Insecure-Requests: 1\r\nReferer: http://" + host + "/members/\r\n")
	b.WriteString("Cookie: hubspotutk=0123456789abcdef0123456789abcdef")
	if cookie != "" {
		b.WriteString("; " + cookie)
	}
	b.WriteString("\r\n\r\n")
	return b.Bytes()
}

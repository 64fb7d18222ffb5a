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

// hammer keeps connections to a server and sends requests over all of them. It speaks only as much HTTP/1.1 as it needs, for what it
// uses of the machine disturbs the measurement.
type hammer struct{ conns []*hammerConn }

type hammerConn struct {
	net.Conn
	in *bufio.Reader
}

func newHammer(addr string, conns int) (*hammer, error) {
	h := &hammer{}
	for range conns {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			h.close()
			return nil, err
		}
		h.conns = append(h.conns, &hammerConn{conn, bufio.NewReaderSize(conn, 8<<10)})
	}
	return h, nil
}

func (h *hammer) close() {
	for _, c := range h.conns {
		c.Close()
	}
}

// send sends n requests, the i-th as request says, and wants 200 for each.
func (h *hammer) send(ctx context.Context, n int, request func(i int) []byte) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range h.conns {
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

func (c *hammerConn) exchange(request []byte) error {
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
				return fmt.Errorf("the answer is %q", line)
			}
		case found:
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		case len(line) == 0 && length < 0:
			return errors.New("the answer has no Content-Length")
		case len(line) == 0:
			_, err := io.CopyN(io.Discard, c.in, int64(length))
			return err
		}
	}
}

// get makes a request as a browser's is: its headers are as many and as long.
func get(host, path, cookie string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\n", path, host)
	b.WriteString("User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
		"Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n" +
		"Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-User: ?1\r\n" +
		"Upgrade-Insecure-Requests: 1\r\nReferer: http://" + host + "/members/\r\n")
	b.WriteString("Cookie: hubspotutk=0123456789abcdef0123456789abcdef")
	if cookie != "" {
		b.WriteString("; " + cookie)
	}
	b.WriteString("\r\n\r\n")
	return b.Bytes()
}

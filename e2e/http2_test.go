package e2e

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2 is an HTTP/2 client that sends any frames.
type h2 struct {
	t *testing.T
	*tls.Conn
	*http2.Framer
	head    []byte // of a GET for a page
	refused int
}

func dialH2(t *testing.T, port int) *h2 {
	t.Helper()
	conn, err := tls.Dial("tcp", local(port), &tls.Config{
		ServerName: acmeHost, NextProtos: []string{"h2"}, InsecureSkipVerify: true}) // the test's own certificate
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(60 * time.Second))
	io.WriteString(conn, http2.ClientPreface)
	c := &h2{t, conn, http2.NewFramer(conn, conn), header("GET", "/slow"), 0}
	c.WriteSettings()
	return c
}

// header encodes the header of a request.
func header(method, path string) []byte {
	var head bytes.Buffer
	encoder := hpack.NewEncoder(&head)
	for _, f := range [][2]string{{":method", method}, {":scheme", "https"}, {":authority", acmeHost}, {":path", path}} {
		encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	return head.Bytes()
}

// request sends the header of a request.
func (c *h2) request(stream uint32) error {
	return c.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: c.head, EndHeaders: true, EndStream: true})
}

// next reads a frame and counts refused streams. It returns an error at the end of the connection and at a ping.
func (c *h2) next() error {
	frame, err := c.ReadFrame()
	switch f := frame.(type) {
	case *http2.GoAwayFrame:
		return fmt.Errorf("GOAWAY %v", f.ErrCode)
	case *http2.RSTStreamFrame:
		if f.ErrCode == http2.ErrCodeRefusedStream || f.ErrCode == http2.ErrCodeProtocol {
			c.refused++
		}
	case *http2.PingFrame:
		return errors.New("the ping is answered")
	}
	return err
}

// net/http bounds the handlers that run for a connection, including those of reset streams. A rapid reset attack
// (CVE-2023-44487) therefore affects only its own connection.
func TestHTTP2RapidResetsAreBounded(t *testing.T) {
	t.Parallel()
	g := startHTTPS(t)
	c := dialH2(t, g.port)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for c.next() == nil {
		}
	}()
	served := 0
	for stream := uint32(1); stream < 10_000; stream += 2 {
		if errors.Join(c.request(stream), c.WriteRSTStream(stream, http2.ErrCodeCancel)) != nil {
			break
		}
		if stream%2_000 == 1 && handshake(g.port, &tls.Config{ServerName: acmeHost}) != nil {
			served++
		}
	}
	c.Close()
	<-ended
	if served == 0 || handshake(g.port, &tls.Config{ServerName: acmeHost}) == nil {
		t.Error("another visitor is not served")
	}
	if size := g.residentBytes(); size > maxResident() {
		t.Errorf("%d MiB", size>>20)
	}
}

// A header may continue in any number of small CONTINUATION frames (CVE-2023-45288).
func TestHTTP2EndlessHeaderEndsTheConnection(t *testing.T) {
	t.Parallel()
	g := startHTTPS(t)
	c := dialH2(t, g.port)
	err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.head})
	var piece bytes.Buffer
	encoder := hpack.NewEncoder(&piece)
	for i := range 200 {
		encoder.WriteField(hpack.HeaderField{Name: fmt.Sprintf("x-%d", i), Value: "endless", Sensitive: true})
	}
	for i := 0; err == nil && i < 20_000; i++ {
		err = c.WriteContinuation(1, false, piece.Bytes())
	}
	if err == nil {
		t.Error("the whole header was accepted")
	}
	if size := g.residentBytes(); size > maxResident() {
		t.Errorf("%d MiB", size>>20)
	}
}

func TestHTTP2AllowsAHundredStreams(t *testing.T) {
	t.Parallel()
	g := startHTTPS(t)
	c := dialH2(t, g.port)
	frame, err := c.ReadFrame()
	settings, ok := frame.(*http2.SettingsFrame)
	if err != nil || !ok {
		t.Fatalf("%v %v", frame, err)
	}
	if n, ok := settings.Value(http2.SettingMaxConcurrentStreams); !ok || n != 100 {
		t.Errorf("%d streams are allowed", n)
	}
	post := header("POST", "/contact") // without its body, the request keeps its stream
	c.WriteSettingsAck()
	for stream := uint32(1); stream < 2*130; stream += 2 {
		head := http2.HeadersFrameParam{StreamID: stream, BlockFragment: post, EndHeaders: true}
		if err := c.WriteHeaders(head); err != nil {
			break
		}
	}
	c.WritePing(false, [8]byte{1})
	for err = nil; err == nil; {
		err = c.next()
	}
	if c.refused == 0 && !strings.Contains(err.Error(), "GOAWAY") {
		t.Errorf("130 streams were accepted: %v", err)
	}
}

package e2e

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strconv"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2 is an HTTP/2 client that says whatever it is told to.
type h2 struct {
	t *testing.T
	*tls.Conn
	*http2.Framer
	head []byte // of a GET for a page
}

func dialH2(t *testing.T, port int) *h2 {
	t.Helper()
	conn, err := tls.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port), &tls.Config{ServerName: acmeHost, NextProtos: []string{"h2"}, InsecureSkipVerify: true}) // the test's own certificate
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(60 * time.Second))
	var head bytes.Buffer
	encoder := hpack.NewEncoder(&head)
	for _, f := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", acmeHost}, {":path", "/slow"}} {
		encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	io.WriteString(conn, http2.ClientPreface)
	c := &h2{t, conn, http2.NewFramer(conn, conn), head.Bytes()}
	c.WriteSettings()
	return c
}

// request asks for a page.
func (c *h2) request(stream uint32) error {
	return c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: c.head, EndHeaders: true, EndStream: true})
}

// end reads until the connection ends and returns how: the code of a GOAWAY, or the streams that were refused.
func (c *h2) end() (goAway http2.ErrCode, refused int, err error) {
	for {
		frame, err := c.ReadFrame()
		switch f := frame.(type) {
		case *http2.GoAwayFrame:
			return f.ErrCode, refused, nil
		case *http2.RSTStreamFrame:
			if f.ErrCode == http2.ErrCodeRefusedStream || f.ErrCode == http2.ErrCodeProtocol {
				refused++
			}
		case *http2.PingFrame:
			if f.IsAck() {
				return 0, refused, nil
			}
		}
		if err != nil {
			return 0, refused, err
		}
	}
}

// Each flood must end its own connection, or be bounded, and keep nobody else waiting (DS-03).
func TestFloodsOfHTTP2FramesEndTheirConnectionAndNobodyElses(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 2)
	certFile, keyFile := selfSigned(t, t.TempDir(), acmeHost)
	gateway := startFilesGateway(t, ports, certFile, keyFile)
	for name, flood := range map[string]func(c *h2) error{
		"rapid resets": func(c *h2) error {
			for stream := uint32(1); stream < 200_000; stream += 2 {
				if err := errors.Join(c.request(stream), c.WriteRSTStream(stream, http2.ErrCodeCancel)); err != nil {
					return err
				}
			}
			return nil
		},
		"an endless header": func(c *h2) error {
			if err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.head}); err != nil {
				return err
			}
			var piece bytes.Buffer
			encoder := hpack.NewEncoder(&piece)
			for i := range 200 {
				encoder.WriteField(hpack.HeaderField{Name: fmt.Sprintf("x-%d", i), Value: "endless", Sensitive: true})
			}
			for range 20_000 {
				if err := c.WriteContinuation(1, false, piece.Bytes()); err != nil {
					return err
				}
			}
			return nil
		},
		"pings that nobody hears answered": func(c *h2) error {
			for range 2_000_000 {
				if err := c.WritePing(false, [8]byte{}); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := dialH2(t, ports)
			if err := flood(c); err == nil {
				if code, _, err := c.end(); code != http2.ErrCodeEnhanceYourCalm {
					t.Errorf("it was borne to its end: GOAWAY %v, %v", code, err)
				}
			}
			if leaf := handshake(ports, &tls.Config{ServerName: acmeHost}); leaf == nil {
				t.Error("nobody else is served")
			}
		})
	}
	if size := gateway.residentBytes(); size > maxResident() {
		t.Errorf("%d MiB are held", size>>20)
	}
}

func TestAnHTTP2ConnectionHasAHundredStreams(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 2)
	certFile, keyFile := selfSigned(t, t.TempDir(), acmeHost)
	startFilesGateway(t, ports, certFile, keyFile)
	c := dialH2(t, ports)
	frame, err := c.ReadFrame()
	settings, ok := frame.(*http2.SettingsFrame)
	if err != nil || !ok {
		t.Fatalf("%v %v", frame, err)
	}
	if n, ok := settings.Value(http2.SettingMaxConcurrentStreams); !ok || n != 100 {
		t.Errorf("%d streams are allowed", n)
	}
	var body bytes.Buffer // a POST whose body never comes keeps its stream
	encoder := hpack.NewEncoder(&body)
	for _, f := range [][2]string{{":method", "POST"}, {":scheme", "https"}, {":authority", acmeHost}, {":path", "/contact"}} {
		encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	c.WriteSettingsAck()
	for stream := uint32(1); stream < 2*130; stream += 2 {
		if err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: body.Bytes(), EndHeaders: true}); err != nil {
			break
		}
	}
	c.WritePing(false, [8]byte{1})
	code, refused, err := c.end()
	if code == 0 && refused == 0 {
		t.Errorf("130 streams were taken: %v", err)
	}
}

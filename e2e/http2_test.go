package e2e

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
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
	head    []byte // of a GET for a page
	refused int
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
	c := &h2{t, conn, http2.NewFramer(conn, conn), head.Bytes(), 0}
	c.WriteSettings()
	return c
}

// request asks for a page.
func (c *h2) request(stream uint32) error {
	return c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: c.head, EndHeaders: true, EndStream: true})
}

// end reads a frame and counts the streams that are refused; it fails when the connection ends.
func (c *h2) end() error {
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

// net/http bounds the handlers that run for a connection, those of streams that were reset among them, so a flood of resets costs that
// connection's share and nobody else's (DS-03).
func TestRapidResetsTakeNothingFromOthers(t *testing.T) {
	t.Parallel()
	ports, gw := startWithCertificate(t)
	c := dialH2(t, ports)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for c.end() == nil {
		}
	}()
	served := 0
	for stream := uint32(1); stream < 10_000; stream += 2 {
		if errors.Join(c.request(stream), c.WriteRSTStream(stream, http2.ErrCodeCancel)) != nil {
			break
		}
		if stream%2_000 == 1 && handshake(ports, &tls.Config{ServerName: acmeHost}) != nil {
			served++
		}
	}
	c.Close()
	<-ended
	if served == 0 || handshake(ports, &tls.Config{ServerName: acmeHost}) == nil {
		t.Error("nobody else is served")
	}
	if size := gw.residentBytes(); size > maxResident() {
		t.Errorf("%d MiB are held", size>>20)
	}
}

// A header may go on in CONTINUATION frames, and each of them is small (DS-03).
func TestAnEndlessHeaderEndsItsConnection(t *testing.T) {
	t.Parallel()
	ports, gw := startWithCertificate(t)
	c := dialH2(t, ports)
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
		t.Error("it was borne to its end")
	}
	if size := gw.residentBytes(); size > maxResident() {
		t.Errorf("%d MiB are held", size>>20)
	}
}

func startWithCertificate(t *testing.T) (port int, gw *process) {
	t.Helper()
	ports := freePorts(t, 2)
	certFile, keyFile := selfSigned(t, t.TempDir(), acmeHost)
	return ports, startFilesGateway(t, ports, certFile, keyFile)
}

func TestAnHTTP2ConnectionHasAHundredStreams(t *testing.T) {
	t.Parallel()
	ports, _ := startWithCertificate(t)
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
	for err = nil; err == nil; {
		err = c.end()
	}
	if c.refused == 0 && !strings.Contains(err.Error(), "GOAWAY") {
		t.Errorf("130 streams were taken: %v", err)
	}
}

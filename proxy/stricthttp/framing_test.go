package stricthttp

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The result must not depend on how the bytes are split into reads.
func FuzzFraming(f *testing.F) {
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\nGET / HTTP/1.1\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
		"GET / HTTP/1.1\nHost: a\r\n\r\n",
	} {
		f.Add([]byte(seed), uint8(1))
	}
	f.Fuzz(func(t *testing.T, stream []byte, cut uint8) {
		var whole, parts framing
		fine := whole.accept(stream)
		step, total := int(cut)+1, 0
		for rest := stream; len(rest) > 0; {
			n := min(step, len(rest))
			k := parts.accept(rest[:n])
			total += k
			if k < n {
				break
			}
			rest = rest[n:]
		}
		// Cut differently, the refusal may come later within a line, never in another line.
		if (total == len(stream)) != (fine == len(stream)) ||
			bytes.IndexByte(stream[min(fine, total):max(fine, total)], '\n') >= 0 {
			t.Fatalf("%q: %d bytes accepted at once, %d in steps of %d", stream, fine, total, step)
		}
	})
}

func TestPausedBodyTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		conn := &strictConn{Conn: server}
		go func() {
			io.WriteString(client, "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n")
			time.Sleep(bodyProgress - time.Second)
			io.WriteString(client, "a")
			time.Sleep(bodyProgress - time.Second)
			io.WriteString(client, "b")
		}()
		start, buffer, got := time.Now(), make([]byte, 100), ""
		var err error
		for n := 0; err == nil; got += string(buffer[:n]) {
			n, err = conn.Read(buffer)
		}
		if took := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || !strings.HasSuffix(got, "\r\nab") ||
			took != 3*bodyProgress-2*time.Second {
			t.Errorf("%q, %v after %s", got, err, took)
		}
	})
}

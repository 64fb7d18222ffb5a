package fakesite

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// stream serves long-lived responses: server-sent events at .../live and a WebSocket at .../echo, public below
// /workshop and for members below /members.
func (s *site) stream(w http.ResponseWriter, r *http.Request, path string) bool {
	switch path {
	case "/workshop/live", "/members/live":
		events(w, r)
	case "/workshop/echo", "/members/echo":
		echo(w, r)
	default:
		return false
	}
	return true
}

// events sends the time every second until the client disconnects.
func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	flush := http.NewResponseController(w)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 1; ; n++ {
		fmt.Fprintf(w, "id: %d\ndata: %s\n\n", n, time.Now().Format(time.TimeOnly))
		if flush.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

const websocketGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455, section 1.3

// echo is a WebSocket that echoes every message.
func echo(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Sec-WebSocket-Key")
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || key == "" {
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "expected a WebSocket upgrade", http.StatusUpgradeRequired)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	sum := sha1.Sum([]byte(key + websocketGUID))
	fmt.Fprintf(rw,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	for rw.Flush() == nil {
		opcode, payload, err := readFrame(rw.Reader)
		if err != nil {
			return
		}
		switch opcode {
		case opPing:
			opcode = opPong
		case opPong:
			continue
		}
		rw.Write(append([]byte{0x80 | opcode, byte(len(payload))}, payload...))
		if opcode == opClose {
			rw.Flush()
			return
		}
	}
}

const opClose, opPing, opPong = 8, 9, 10

// readFrame reads one masked frame of up to 125 bytes (RFC 6455, section 5.2).
func readFrame(r *bufio.Reader) (opcode byte, payload []byte, err error) {
	var head [6]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := int(head[1] & 0x7f)
	if n > 125 || head[1]&0x80 == 0 {
		return 0, nil, fmt.Errorf("fakesite: a frame of length code %d, masked %t", n, head[1]&0x80 != 0)
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, err
	}
	mask := binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(head[2:]))
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return head[0] & 0x0f, payload, nil
}

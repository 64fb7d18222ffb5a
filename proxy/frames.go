package proxy

import (
	"encoding/binary"
)

// frames finds the boundaries of the frames in one direction of a WebSocket (RFC 6455, section 5.2), and nothing else.
type frames struct {
	head  []byte // of the current frame, as far as it was read
	left  uint64 // bytes left of its payload
	ended bool   // a Close frame has begun, which nothing may follow
}

const (
	opcodeBits = 0x0f
	opClose    = 0x8
	maskBit    = 0x80
)

// atBoundary reports whether another frame may be inserted here.
func (f *frames) atBoundary() bool { return len(f.head) == 0 && f.left == 0 }

// next consumes what p has of the current frame and returns how many bytes that is, at least one.
func (f *frames) next(p []byte) int {
	n := 0
	for f.left == 0 && n < len(p) {
		f.head = append(f.head, p[n])
		n++
		if len(f.head) < 2 || len(f.head) < headLength(f.head[1]) {
			continue
		}
		f.left, f.ended = payloadLength(f.head), f.ended || f.head[0]&opcodeBits == opClose
		f.head = f.head[:0]
		if f.left == 0 {
			return n
		}
	}
	payload := min(uint64(len(p)-n), f.left)
	f.left -= payload
	return n + int(payload)
}

// headLength returns the length of a frame's header from its second byte.
func headLength(second byte) int {
	n := 2
	switch second &^ maskBit {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if second&maskBit != 0 {
		n += 4
	}
	return n
}

func payloadLength(head []byte) uint64 {
	switch short := head[1] &^ maskBit; short {
	case 126:
		return uint64(binary.BigEndian.Uint16(head[2:]))
	case 127:
		return binary.BigEndian.Uint64(head[2:])
	default:
		return uint64(short)
	}
}

// closeFrame returns a Close frame of a server.
func closeFrame(code uint16) []byte {
	return binary.BigEndian.AppendUint16([]byte{0x80 | opClose, 2}, code)
}

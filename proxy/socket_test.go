package proxy

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"testing"
)

// frame returns a frame of a server.
func frame(opcode byte, payload []byte) []byte {
	head := []byte{0x80 | opcode}
	switch n := len(payload); {
	case n < 126:
		head = append(head, byte(n))
	case n < 1<<16:
		head = binary.BigEndian.AppendUint16(append(head, 126), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 127), uint64(n))
	}
	return append(head, payload...)
}

// sink is a connection that records what is written to it.
type sink struct {
	net.Conn
	bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) { return s.Buffer.Write(p) }
func (s *sink) Read([]byte) (int, error)    { return 0, io.EOF }

func TestCloseFrameIsBetweenFrames(t *testing.T) {
	t.Parallel()
	frames := [][]byte{frame(1, []byte("short")), frame(2, bytes.Repeat([]byte{0x88}, 300)), frame(9, nil),
		frame(2, bytes.Repeat([]byte{0x81}, 70_000))}
	all := bytes.Join(frames, nil)
	boundaries := map[int]bool{0: true}
	for end, i := 0, 0; i < len(frames); i++ {
		end += len(frames[i])
		boundaries[end] = true
	}
	bye := closeFrame(goingAway)
	for _, at := range []int{0, 1, 2, 6, 7, 8, 9, 10, 100, 310, 311, 312, 313, 314, 320, 322, 323, 324, 400,
		len(all) - 1, len(all)} {
		to := &sink{}
		s := &socket{}
		s.attach(to)
		s.opened()
		s.Write(all[:at])
		s.requestClose(goingAway)
		s.Write(all[at:])
		next := at
		for !boundaries[next] {
			next++
		}
		if want := append(slices.Clone(all[:next]), bye...); !bytes.Equal(to.Bytes(), want) {
			t.Errorf("asked at byte %d of %d: %d bytes came, want a Close frame at %d", at, len(all), to.Len(), next)
		}
	}
}

func TestCloseFrameOfOriginIsNotRepeated(t *testing.T) {
	t.Parallel()
	to := &sink{}
	s := &socket{}
	s.attach(to)
	s.opened()
	s.Write(frame(opClose, []byte{3, 232}))
	s.requestClose(goingAway)
	if want := frame(opClose, []byte{3, 232}); !bytes.Equal(to.Bytes(), want) {
		t.Errorf("% x", to.Bytes())
	}
}

func TestCloseFrameWaitsForUpgrade(t *testing.T) {
	t.Parallel()
	to := &sink{}
	s := &socket{}
	s.requestClose(goingAway)
	s.attach(to)
	if to.Len() > 0 {
		t.Fatalf("before the 101: % x", to.Bytes())
	}
	s.Read(nil)
	if !bytes.Equal(to.Bytes(), closeFrame(goingAway)) {
		t.Errorf("after it: % x", to.Bytes())
	}
}

// FuzzFrames checks that frame boundaries do not depend on how the bytes are split into writes.
func FuzzFrames(f *testing.F) {
	f.Add(append(frame(1, []byte("hello")), frame(2, bytes.Repeat([]byte{1}, 130))...), uint8(3))
	f.Add([]byte{0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}, uint8(1))
	f.Fuzz(func(t *testing.T, stream []byte, step uint8) {
		ends := func(size int) []int {
			var at []int
			var fr frames
			for i := 0; i < len(stream); {
				piece := stream[i:min(len(stream), i+size)]
				n := fr.next(piece)
				if n < 1 || n > len(piece) {
					t.Fatalf("took %d of %d", n, len(piece))
				}
				if i += n; fr.atBoundary() {
					at = append(at, i)
				}
			}
			return at
		}
		whole, pieces := ends(len(stream)), ends(int(step)+1)
		if len(whole) != len(pieces) {
			t.Fatalf("%v, in pieces %v", whole, pieces)
		}
		for i := range whole {
			if whole[i] != pieces[i] {
				t.Fatalf("%v, in pieces %v", whole, pieces)
			}
		}
	})
}

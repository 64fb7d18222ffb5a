package stricthttp

import (
	"bytes"
	"strconv"
	"strings"
)

// framing reads an HTTP/1 byte stream along with net/http and refuses what net/http forgives: whatever two servers in a
// row could count differently (request smuggling, RFC 9112 11.2). It checks where messages begin and end, nothing else.
//
// net/http takes bare LF for CRLF, joins folded header lines, lets chunked win over Content-Length, ignores
// Transfer-Encoding in HTTP/1.0 and skips chunk extensions; and a handler cannot see any of it.
type framing struct {
	state   state
	line    []byte // of the head or the trailers: what came of it so far
	left    uint64 // of a body or a chunk
	digits  int    // of a chunk's size
	lengths int    // Content-Length lines of this head
	chunked bool
	http10  bool
	started bool // the head has its request line
}

type state uint8

const (
	inHead state = iota
	inBody
	inSize     // a chunk's size
	afterSize  // its LF
	inChunk    //
	afterChunk // the chunk's CR
	endOfChunk // its LF
	inTrailer
)

// accept takes the next bytes of the stream and returns how many of them are fine; fewer than all when the next one is
// not.
func (f *framing) accept(p []byte) int {
	for i := 0; i < len(p); {
		switch f.state {
		case inHead, inTrailer:
			end := bytes.IndexByte(p[i:], '\n')
			if end < 0 {
				f.line = append(f.line, p[i:]...)
				return len(p)
			}
			line := p[i : i+end]
			if len(f.line) > 0 {
				f.line = append(f.line, line...)
				line = f.line
			}
			if !f.endLine(line) {
				return i
			}
			f.line = f.line[:0]
			i += end + 1
		case inBody, inChunk:
			n := min(uint64(len(p)-i), f.left)
			i += int(n)
			if f.left -= n; f.left > 0 {
				break
			}
			if f.state == inBody {
				f.reset()
			} else {
				f.state = afterChunk
			}
		default:
			if !f.step(p[i]) {
				return i
			}
			i++
		}
	}
	return len(p)
}

// step takes one byte around a chunk: 1*HEXDIG CRLF before it, CRLF after it, and no extensions, which are of use to
// nobody but smugglers.
func (f *framing) step(c byte) bool {
	switch f.state {
	case inSize:
		if c == '\r' && f.digits > 0 {
			f.state = afterSize
			return true
		}
		f.digits++
		digit, err := strconv.ParseUint(string(rune(c)), 16, 4)
		if err != nil || f.digits > 15 {
			return false
		}
		f.left = f.left<<4 | digit
		return true
	case afterSize:
		f.digits = 0
		if f.state = inChunk; f.left == 0 {
			f.state = inTrailer
		}
		return c == '\n'
	case afterChunk:
		f.state = endOfChunk
		return c == '\r'
	}
	f.state = inSize
	return c == '\n'
}

// endLine judges a line that ended in LF.
func (f *framing) endLine(line []byte) bool {
	line, crlf := bytes.CutSuffix(line, []byte("\r"))
	if !crlf || bytes.IndexByte(line, '\r') >= 0 {
		return false
	}
	switch {
	case len(line) == 0 && f.state == inTrailer:
		f.reset()
		return true
	case len(line) == 0:
		return !f.started || f.endHead() // empty lines before a request are net/http's to judge
	case !f.started:
		f.started = true
		return f.requestLine(line)
	}
	return f.field(line)
}

// requestLine wants HTTP/1.0 or 1.1: net/http would hand the preface of HTTP/2 to the handler as a request of method
// PRI (SM-09).
func (f *framing) requestLine(line []byte) bool {
	f.http10 = bytes.HasSuffix(line, []byte(" HTTP/1.0"))
	return (f.http10 || bytes.HasSuffix(line, []byte(" HTTP/1.1"))) && bytes.Count(line, []byte(" ")) == 2
}

// field judges a header or trailer line: a folded one, and one with a space before its colon, have no name that is a
// token.
func (f *framing) field(line []byte) bool {
	name, value, found := bytes.Cut(line, []byte(":"))
	if !found || !isToken(name) {
		return false
	}
	if f.state == inTrailer {
		return true
	}
	switch {
	case is(name, "content-length"):
		f.lengths++
		return f.length(bytes.Trim(value, " \t"))
	case is(name, "transfer-encoding"):
		if f.chunked || f.http10 || !is(bytes.Trim(value, " \t"), "chunked") {
			return false
		}
		f.chunked = true
	}
	return true
}

// is compares without regard to the case of letters; lower is in lower case.
func is(text []byte, lower string) bool {
	if len(text) != len(lower) {
		return false
	}
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

func (f *framing) length(value []byte) bool {
	if len(value) == 0 || len(value) > 18 {
		return false
	}
	f.left = 0
	for _, c := range value {
		if c < '0' || c > '9' {
			return false
		}
		f.left = f.left*10 + uint64(c-'0')
	}
	return true
}

// endHead chooses the body's framing: one way only.
func (f *framing) endHead() bool {
	switch {
	case f.lengths > 1 || (f.chunked && f.lengths > 0):
		return false
	case f.chunked:
		f.state, f.left, f.digits = inSize, 0, 0
	case f.left > 0:
		f.state = inBody
	default:
		f.reset()
	}
	return true
}

// reset begins the next message.
func (f *framing) reset() { *f = framing{line: f.line[:0]} }

// isToken: RFC 9110 5.6.2.
func isToken(name []byte) bool {
	for _, c := range name {
		if !tokenByte[c] {
			return false
		}
	}
	return len(name) > 0
}

// tokenByte tells the bytes of a token: visible ones without the delimiters.
var tokenByte = func() (table [256]bool) {
	for c := byte('!'); c < 0x7f; c++ {
		table[c] = strings.IndexByte(`()<>@,;:\"/[]?={}`, c) < 0
	}
	return table
}()

package stricthttp

import (
	"bytes"
	"strconv"
	"strings"
)

// framing parses an HTTP/1 byte stream ahead of net/http and rejects what two servers in a row may delimit differently
// (request smuggling, RFC 9112, section 11.2). It checks where messages begin and end, and nothing else.
//
// net/http accepts a bare LF for CRLF, joins folded header lines, prefers chunked to Content-Length, ignores
// Transfer-Encoding in HTTP/1.0 and skips chunk extensions; a handler sees none of that.
type framing struct {
	state   state
	line    []byte // the current line of the head or the trailers, as far as it was read
	left    uint64 // how many bytes of the body or the chunk are left
	digits  int    // how many digits of a chunk's size were read
	lengths int    // how many Content-Length lines this head has
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

// accept parses the next bytes of the stream and returns how many of them are valid: fewer than all if the one after
// them is not.
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

// step parses one byte of a chunk's delimiters: 1*HEXDIG CRLF before it, CRLF after it. Chunk extensions are rejected:
// only smugglers use them.
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

// endLine parses a line that ended in LF.
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
		return !f.started || f.endHead() // net/http decides about empty lines before a request
	case !f.started:
		f.started = true
		return f.requestLine(line)
	}
	return f.field(line)
}

// requestLine accepts HTTP/1.0 and 1.1 only. net/http would pass the preface of HTTP/2 to the handler as a request with
// the method PRI.
func (f *framing) requestLine(line []byte) bool {
	f.http10 = bytes.HasSuffix(line, []byte(" HTTP/1.0"))
	return (f.http10 || bytes.HasSuffix(line, []byte(" HTTP/1.1"))) && bytes.Count(line, []byte(" ")) == 2
}

// field parses a header or trailer line. The name of a folded line, and of one with a space before the colon, is not a
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
	case equalFold(name, "content-length"):
		f.lengths++
		return f.length(bytes.Trim(value, " \t"))
	case equalFold(name, "transfer-encoding"):
		if f.chunked || f.http10 || !equalFold(bytes.Trim(value, " \t"), "chunked") {
			return false
		}
		f.chunked = true
	}
	return true
}

// equalFold reports whether a text equals lower, which is in lower case, ignoring case.
func equalFold(text []byte, lower string) bool {
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

// endHead chooses the framing of the body, and rejects a head with two.
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

// reset prepares for the next message.
func (f *framing) reset() { *f = framing{line: f.line[:0]} }

// isToken reports whether a name is a token (RFC 9110, section 5.6.2).
func isToken(name []byte) bool {
	for _, c := range name {
		if !tokenByte[c] {
			return false
		}
	}
	return len(name) > 0
}

// tokenByte has the bytes that a token may contain: visible ones except delimiters.
var tokenByte = func() (table [256]bool) {
	for c := byte('!'); c < 0x7f; c++ {
		table[c] = strings.IndexByte(`()<>@,;:\"/[]?={}`, c) < 0
	}
	return table
}()

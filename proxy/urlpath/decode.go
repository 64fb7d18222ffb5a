package urlpath

import (
	"strings"
	"unicode/utf8"
)

// decode decodes the escapes of a request's path once, and refuses those that no origin should see.
func decode(raw string) (decoded, reason string) {
	if strings.IndexByte(raw, '%') < 0 {
		return raw, ""
	}
	var b strings.Builder
	b.Grow(len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '%' {
			b.WriteByte(raw[i])
			continue
		}
		c, ok := unhex(raw, i)
		if !ok {
			return "", badEscape
		}
		switch {
		case c == '/' || c == '\\':
			return "", encodedSlash
		case c < ' ' || c == 0x7f:
			return "", control
		}
		b.WriteByte(c)
		i += 2
	}
	return b.String(), ""
}

// decodesAgain reports whether a decoded text has another escape, in the form of IIS (%u002f) as well, which some
// origins would decode too (double decoding, CWE-174).
func decodesAgain(decoded string) bool {
	for i := 0; i+2 < len(decoded); i++ {
		if decoded[i] == '%' && (isHex(decoded[i+1]) || decoded[i+1]|0x20 == 'u') && isHex(decoded[i+2]) {
			return true
		}
	}
	return false
}

// decodeLenient decodes one layer of escapes, including %u0041. It keeps what is not an escape.
func decodeLenient(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		decoded, width := escapeAt(s[i:])
		if width == 0 {
			out = append(out, s[i])
			i++
			continue
		}
		out = append(out, decoded...)
		i += width
	}
	return string(out)
}

// decodeFully decodes all layers in linear time. What an escape decodes to may complete an escape that began before it.
func decodeFully(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		out = append(out, s[i])
		for {
			at, decoded := lastEscape(out)
			if at < 0 {
				break
			}
			out = append(out[:at], decoded...)
		}
	}
	return string(out)
}

// lastEscape returns the escape at the end of s.
func lastEscape(s []byte) (at int, decoded string) {
	for _, width := range []int{len("%41"), len("%u0041")} {
		if at = len(s) - width; at >= 0 && s[at] == '%' {
			if decoded, n := escapeAt(string(s[at:])); n == width {
				return at, decoded
			}
		}
	}
	return -1, ""
}

// escapeAt decodes the escape at the beginning of s. width is 0 if there is none.
func escapeAt(s string) (decoded string, width int) {
	if c, ok := unhex(s, 0); ok && s[0] == '%' {
		return string([]byte{c}), 3
	}
	if len(s) < 6 || s[0] != '%' || s[1]|0x20 != 'u' {
		return "", 0
	}
	var r rune
	for _, c := range []byte(s[2:6]) {
		if !isHex(c) {
			return "", 0
		}
		r = r<<4 | rune(nibble(c))
	}
	return string(utf8.AppendRune(nil, r)), 6
}

func unhex(raw string, i int) (byte, bool) {
	if i+2 >= len(raw) || !isHex(raw[i+1]) || !isHex(raw[i+2]) {
		return 0, false
	}
	return nibble(raw[i+1])<<4 | nibble(raw[i+2]), true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func nibble(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}

package proxy

import (
	"strings"
	"unicode/utf8"
)

// decodeLenient undoes one layer of escapes, %u0041 too. What is not an escape stays as it is.
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

// decodeFully undoes all layers at once, in linear time: what an escape leaves behind may complete one that began before it.
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

// lastEscape finds an escape that ends where s ends.
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

// escapeAt decodes the escape that s begins with; width is 0 when it begins with none.
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

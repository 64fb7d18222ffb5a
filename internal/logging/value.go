package logging

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// appendValue appends a value as slog's JSON handler does.
func appendValue(b []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return appendText(b, v.String())
	case slog.KindInt64:
		return strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(b, v.Uint64(), 10)
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case slog.KindDuration:
		return strconv.AppendInt(b, int64(v.Duration()), 10)
	case slog.KindTime:
		return append(v.Time().AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
	case slog.KindFloat64:
		if f := math.Abs(v.Float64()); f == 0 || (f >= 1e-6 && f < 1e21) {
			return strconv.AppendFloat(b, v.Float64(), 'f', -1, 64)
		}
	}
	if err, ok := v.Any().(error); ok {
		if _, special := v.Any().(json.Marshaler); !special {
			return appendText(b, err.Error())
		}
	}
	text, err := json.Marshal(v.Any())
	if err != nil {
		return appendText(b, fmt.Sprintf("!ERROR:%v", err))
	}
	return appendVisible(b, text)
}

// appendText appends a JSON string. Texts with special characters are left to encoding/json, so that no text can end a
// string or a line (log injection, CWE-117).
func appendText(b []byte, text string) []byte {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c == 0x7f || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, _ := json.Marshal(text) // never fails for a string
			return appendVisible(b, quoted)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// appendVisible appends JSON and escapes the control characters that encoding/json does not: C1 controls are commands
// to a terminal (U+009B is ESC [), and bidirectional controls make a line read as another one (CWE-150, CWE-117). JSON
// contains them in strings only.
func appendVisible(b, text []byte) []byte {
	for _, c := range string(text) {
		if isUnsafe(c) {
			b = fmt.Appendf(b, `\u%04x`, c)
		} else {
			b = utf8.AppendRune(b, c)
		}
	}
	return b
}

// isUnsafe reports whether a character is DEL, a C1 control or a bidirectional control.
func isUnsafe(c rune) bool {
	bidirectional := c == 0x200e || c == 0x200f || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069
	return c >= 0x7f && c <= 0x9f || bidirectional
}

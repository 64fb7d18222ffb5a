package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var lineTime = time.Date(2026, 11, 26, 12, 0, 0, 123_000_000, time.UTC)

type structure struct {
	A int            `json:"a"`
	B map[string]any `json:"b,omitempty"`
}

// lineAttrs are the attributes of one line of the log.
var lineAttrs = map[string][]slog.Attr{
	"none": nil,
	"plain": {
		slog.String("a", "b"), slog.Int("n", -4), slog.Uint64("u", math.MaxUint64), slog.Bool("yes", true),
	},
	"numbers": {
		slog.Float64("zero", 0), slog.Float64("ms", 12.345),
		slog.Float64("small", 1e-9), slog.Float64("large", 1e30),
	},
	"times": {slog.Time("t", lineTime), slog.Duration("d", time.Second)},
	"hostile": {
		slog.String("ua", "\"}\n{\"level\":\"ERROR\",\x00\x1b[31m\\"), slog.String("broken", "a\xff\xfeb"),
		slog.String("ö\n", "\u2028<script>"),
	},
	"errors": {slog.Any("error", errors.New("it \"broke\"\nhere"))},
	"any value": {
		slog.Any("struct", structure{1, map[string]any{"x": nil}}), slog.Any("list", []string{"a", "b"}),
		slog.Any("nil", nil),
	},
	"not encodable":    {slog.Any("f", func() {})},
	"empty attributes": {{}, slog.Group("g"), slog.String("", "no name")},
	"groups": {
		slog.Group("g", slog.Int("a", 1), slog.Group("h", slog.Int("b", 2))),
		slog.Group("", slog.Int("inline", 3)), slog.Int("after", 4),
	},
	"an e-mail": {slog.String(EmailKey, "ada@example.com")},
	"a valuer":  {slog.Any("v", slog.LevelWarn)},
	"many": {
		slog.Int("1", 1), slog.Int("2", 2), slog.Int("3", 3), slog.Int("4", 4), slog.Int("5", 5), slog.Int("6", 6),
		slog.Int("7", 7),
	},
	"a long string": {slog.String("s", strings.Repeat("x", 100_000))},
}

// handlerSetups are the ways in which a handler was derived before the line.
var handlerSetups = map[string]func(slog.Handler) slog.Handler{
	"bare": func(h slog.Handler) slog.Handler { return h },
	"fields": func(h slog.Handler) slog.Handler {
		return h.WithAttrs([]slog.Attr{slog.String("component", "access"), slog.Int("schema", 1)})
	},
	"group": func(h slog.Handler) slog.Handler {
		return h.WithAttrs([]slog.Attr{slog.Int("before", 1)}).WithGroup("g").WithAttrs([]slog.Attr{slog.Int("in", 2)})
	},
}

func TestJSONLinesEqualThoseOfSlog(t *testing.T) {
	t.Parallel()
	for name, attrs := range lineAttrs {
		for setup, with := range handlerSetups {
			emails := &EmailPolicy{}
			var ours, theirs bytes.Buffer
			line := slog.NewRecord(lineTime, slog.LevelInfo, "a \"message\"", 0)
			line.AddAttrs(attrs...)
			hideEmail := func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == EmailKey {
					return emails.attr(a.Value.String())
				}
				return a
			}
			options := &slog.HandlerOptions{ReplaceAttr: hideEmail}
			want := with(slog.NewJSONHandler(&theirs, options)).Handle(t.Context(), line)
			out, written := collect(&ours)
			got := with(&jsonLines{out: out, level: slog.LevelInfo, emails: emails}).Handle(t.Context(), line)
			written()
			if got != nil || want != nil || strings.Count(ours.String(), "\n") != 1 {
				t.Fatalf("%s, %s: %v %v %q", name, setup, got, want, ours.String())
			}
			if d := cmp.Diff(decoded(t, theirs.Bytes()), decoded(t, ours.Bytes())); d != "" {
				t.Errorf("%s, %s (-slog's +ours)\n%s", name, setup, d)
			}
		}
	}
}

func decoded(t *testing.T, line []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(line, &v); err != nil {
		t.Fatalf("%v\n%s", err, line)
	}
	return v
}

func FuzzTextStaysOneStringInOneLine(f *testing.F) {
	for _, seed := range []string{"", "plain", "\"", "\\", "\n", "\x7f", "é", "\xc3", "\u2029"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line := appendText(nil, text)
		var back string
		if err := json.Unmarshal(line, &back); err != nil || bytes.ContainsAny(line, "\n\r") {
			t.Fatalf("%q became %q: %v", text, line, err)
		}
		if utf8.ValidString(text) && back != text {
			t.Fatalf("%q came back as %q", text, back)
		}
	})
}

func TestControlCharactersAreEscaped(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	hostile := "a\x7f\u0080\u009b31m\u009f\u200e\u200f\u202a\u202e\u2066\u2069z"
	w, written := collect(&out)
	log := slog.New(&jsonLines{out: w, level: slog.LevelInfo, emails: &EmailPolicy{}})
	log.Info(hostile, "user_agent", hostile, hostile, 1, "error", errors.New(hostile), "any", []string{hostile},
		"plain", "a\x7f", "kept", "é \u00a0\u2010\u202f")
	written()
	if strings.ContainsAny(out.String(), strings.Trim(strings.Replace(hostile, "31m", "", 1), "az")) {
		t.Errorf("%q", out.String())
	}
	line := decoded(t, out.Bytes())
	for _, key := range []string{"msg", "user_agent", "error"} {
		if line[key] != hostile {
			t.Errorf("%s came back as %q", key, line[key])
		}
	}
	if line["kept"] != "é \u00a0\u2010\u202f" || line[hostile] != 1.0 || !strings.Contains(out.String(), "é") {
		t.Errorf("%q", out.String())
	}
}

// collect logs into a buffer until the function that it returns is called.
func collect(b *bytes.Buffer) (*Writer, func()) {
	w := NewWriter(b)
	return w, func() { w.Close(time.Minute) }
}

func TestClassDependsOnTheComponent(t *testing.T) {
	t.Parallel()
	w := NewWriter(io.Discard)
	defer w.Close(time.Minute)
	var level slog.LevelVar
	for format, classOf := range map[string]func(slog.Handler) lineClass{
		"json": func(h slog.Handler) lineClass { return h.(correlated).Handler.(*jsonLines).class },
		"text": func(h slog.Handler) lineClass { return h.(correlated).Handler.(textLines).class },
	} {
		log := NewLogger(w, Config{Format: format}, &level, &EmailPolicy{})
		for name, want := range map[string]lineClass{
			"access": classAccess, "audit": classAudit, "log": classNotice, "server": classApplication,
		} {
			if got := classOf(Component(log, name).WithGroup("g").With("path", "audit").Handler()); got != want {
				t.Errorf("%s, %s: %v, want %v", format, name, got, want)
			}
		}
	}
}

func TestLossIsReportedInBothFormatsAtAnyLevel(t *testing.T) {
	t.Parallel()
	for format, want := range map[string][]string{
		"json": {`"level":"WARN"`, `"schema_version":1`, `"component":"log"`, `"access":1,"application":2,"audit":0}`},
		"text": {"level=WARN", "schema_version=1", "component=log", "access=1 application=2 audit=0\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			full := true
			w := NewWriter(writerFunc(func(p []byte) (int, error) {
				if full {
					return 0, errors.New("no space left on device")
				}
				return out.Write(p)
			}))
			var level slog.LevelVar
			log := NewLogger(w, Config{Level: "info", Format: format}, &level, &EmailPolicy{})
			Component(log, "access").Info("request")
			Component(log, "server").Info("one")
			Component(log, "server").Info("two")
			synctest.Wait()
			full = false
			level.Set(slog.LevelError)
			AuditLog(log).Info("written")
			w.Close(time.Minute)
			lines := out.String()
			for _, text := range append(want, "written", "log lines were lost") {
				if strings.Count(lines, text) < 1 || strings.Count(lines, "\n") != 2 {
					t.Errorf("%s: no %s, or not two lines, in\n%s", format, text, lines)
				}
			}
		})
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

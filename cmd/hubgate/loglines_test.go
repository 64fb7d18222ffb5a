package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestOurLinesAreThoseOfSlog(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 26, 12, 0, 0, 123_000_000, time.UTC)
	type odd struct {
		A int            `json:"a"`
		B map[string]any `json:"b,omitempty"`
	}
	for name, attrs := range map[string][]slog.Attr{
		"none":          nil,
		"plain":         {slog.String("a", "b"), slog.Int("n", -4), slog.Uint64("u", math.MaxUint64), slog.Bool("yes", true)},
		"numbers":       {slog.Float64("zero", 0), slog.Float64("ms", 12.345), slog.Float64("small", 1e-9), slog.Float64("large", 1e30)},
		"times":         {slog.Time("t", at), slog.Duration("d", time.Second)},
		"hostile":       {slog.String("ua", "\"}\n{\"level\":\"ERROR\",\x00\x1b[31m\\"), slog.String("broken", "a\xff\xfeb"), slog.String("ö\n", "\u2028<script>")},
		"errors":        {slog.Any("error", errors.New("it \"broke\"\n"))},
		"anything":      {slog.Any("odd", odd{1, map[string]any{"x": nil}}), slog.Any("list", []string{"a", "b"}), slog.Any("nil", nil)},
		"impossible":    {slog.Any("f", func() {})},
		"empty ones":    {{}, slog.Group("g"), slog.String("", "nameless")},
		"groups":        {slog.Group("g", slog.Int("a", 1), slog.Group("h", slog.Int("b", 2))), slog.Group("", slog.Int("inline", 3)), slog.Int("after", 4)},
		"an e-mail":     {slog.String(emailKey, "ada@example.com")},
		"a valuer":      {slog.Any("v", slog.LevelWarn)},
		"many of them":  {slog.Int("1", 1), slog.Int("2", 2), slog.Int("3", 3), slog.Int("4", 4), slog.Int("5", 5), slog.Int("6", 6), slog.Int("7", 7)},
		"a long string": {slog.String("s", strings.Repeat("x", 100_000))},
	} {
		for setup, with := range map[string]func(slog.Handler) slog.Handler{
			"bare": func(h slog.Handler) slog.Handler { return h },
			"fields": func(h slog.Handler) slog.Handler {
				return h.WithAttrs([]slog.Attr{slog.String("component", "access"), slog.Int("schema", 1)})
			},
			"group": func(h slog.Handler) slog.Handler {
				return h.WithAttrs([]slog.Attr{slog.Int("before", 1)}).WithGroup("g").WithAttrs([]slog.Attr{slog.Int("in", 2)})
			},
		} {
			emails := &emailPolicy{}
			var ours, theirs bytes.Buffer
			out := newLineWriter(&ours)
			line := slog.NewRecord(at, slog.LevelInfo, "a \"message\"", 0)
			line.AddAttrs(attrs...)
			want := with(slog.NewJSONHandler(&theirs, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == emailKey {
					return emails.attr(a.Value.String())
				}
				return a
			}})).Handle(t.Context(), line)
			got := with(&jsonLines{out: out, level: slog.LevelInfo, emails: emails}).Handle(t.Context(), line)
			out.flush()
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

func FuzzAnyTextIsOneStringOfOneLine(f *testing.F) {
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

func TestNoLineHoldsAControlOrAMarkOfDirectionAsItIs(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	hostile := "a\x7f\u0080\u009b31m\u009f\u200e\u200f\u202a\u202e\u2066\u2069z"
	log := slog.New(&jsonLines{out: newLineWriter(&out), level: slog.LevelInfo, emails: &emailPolicy{}})
	log.Info(hostile, "user_agent", hostile, hostile, 1, "error", errors.New(hostile), "any", []string{hostile}, "plain", "a\x7f", "kept", "é \u00a0\u2010\u202f")
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

func TestLinesOfTheAccessLogShareAWriteAndKeepTheirOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var writes []string
		out := newLineWriter(writerFunc(func(p []byte) (int, error) { writes = append(writes, string(p)); return len(p), nil }))
		var level slog.LevelVar
		log := slog.New(&jsonLines{out: out, level: &level, emails: &emailPolicy{}})
		access := component(log, "access")
		written := func() []string { // the timer writes too
			out.mu.Lock()
			defer out.mu.Unlock()
			return slices.Clone(writes)
		}

		access.Info("the first is written at once")
		if got := written(); len(got) != 1 {
			t.Fatalf("%q", got)
		}
		for range 10 {
			access.Info("those that follow closely wait")
		}
		if got := written(); len(got) != 1 {
			t.Fatalf("%q", got)
		}
		time.Sleep(lineWait)
		synctest.Wait()
		if got := written(); len(got) != 2 || strings.Count(got[1], "\n") != 10 {
			t.Fatalf("%q", got)
		}
		access.Info("waits")
		component(log, "audit").Info("does not wait, and nothing overtakes")
		if got := written(); len(got) != 3 || strings.Index(got[2], "overtakes") < strings.Index(got[2], "waits") || !strings.Contains(got[2], "waits") {
			t.Fatalf("%q", got)
		}
		access.Info("at the end")
		if err := out.flush(); err != nil || len(written()) != 4 {
			t.Fatalf("%v %q", err, written())
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := written(); len(got) != 4 {
			t.Fatalf("%q", got)
		}
		level.Set(slog.LevelWarn)
		access.Info("not at this level")
		if out.flush(); len(written()) != 4 {
			t.Fatalf("%q", written())
		}
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Lines of many requests at once are whole, and those of each are in their order, however slowly they are written.
func TestLinesOfManyAreWholeAndInOrder(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	out := newLineWriter(writerFunc(func(p []byte) (int, error) { runtime.Gosched(); return text.Write(p) }))
	const writers, each = 16, 2000
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				_ = out.write(i%100 != 0, func(b []byte) []byte { return fmt.Appendf(b, "%d %d %s\n", w, i, strings.Repeat("x", i%200)) })
			}
		})
	}
	all.Wait()
	if err := out.flush(); err != nil {
		t.Fatal(err)
	}
	next := map[int]int{}
	for line := range strings.Lines(text.String()) {
		var w, i int
		var rest string
		fmt.Sscan(line, &w, &i, &rest)
		if next[w] != i || len(rest) != i%200 {
			t.Fatalf("%q, want line %d of %d", line, next[w], w)
		}
		next[w]++
	}
	for w := range writers {
		if next[w] != each {
			t.Errorf("%d lines of %d", next[w], w)
		}
	}
}

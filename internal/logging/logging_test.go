package logging

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/seal"
)

func TestLinesHaveTheSchemaVersionAndTheRequestID(t *testing.T) {
	t.Parallel()
	ring, err := seal.New(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	for format, spell := range map[string]func(key, value string) string{
		"json": func(key, value string) string { return `"` + key + `":` + value },
		"text": func(key, value string) string { return key + "=" + strings.Trim(value, `"`) },
	} {
		var out bytes.Buffer
		var level slog.LevelVar
		emails, mode := &EmailPolicy{}, "hash"
		emails.Ring.Store(ring)
		emails.Mode.Store(&mode)
		w := NewWriter(&out)
		log := NewLogger(w, Config{Level: "warn", Format: format}, &level, emails)
		ctx := inbound.With(t.Context(), &inbound.Facts{ID: "the-id"})
		Component(log, "server").InfoContext(ctx, "quiet")
		AuditLog(log).InfoContext(ctx, "audit", EmailKey, "ada@example.com")
		Component(log, "server").Warn("outside a request")
		w.Close(time.Minute)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 || strings.Contains(out.String(), "ada@") || strings.Contains(lines[1], "request_id") {
			t.Fatalf("%s: the log is\n%s", format, out.String())
		}
		for _, field := range []string{
			spell("schema_version", "1"), spell("component", `"audit"`), spell("request_id", `"the-id"`),
			spell("email", `"hash:`),
		} {
			if !strings.Contains(lines[0], field) {
				t.Errorf("%s: no %s in %s", format, field, lines[0])
			}
		}
	}
}

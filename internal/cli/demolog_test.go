package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestDemoLogShowsShortLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := &demoLog{terminal: &out}
	at := time.Date(2026, 5, 4, 10, 11, 12, 0, time.Local).Format(time.RFC3339)
	write := func(rest string) {
		t.Helper()
		line := `{"time":"` + at + `",` + rest + "}\n"
		if n, err := log.Write([]byte(line)); n != len(line) || err != nil {
			t.Fatalf("%d of %d %v", n, len(line), err)
		}
	}
	write(`"level":"WARN","msg":"Redis is embedded","component":"server"`)
	write(`"level":"INFO","msg":"serving","component":"server"`)
	write(`"level":"INFO","msg":"request","component":"access","rule":"/members/**"`)
	write(`"level":"INFO","msg":"login","action":"login","outcome":"success","email":"a@example.com","reason":"gateway"`)
	write(`"level":"WARN","msg":"deny","action":"deny","outcome":"refused","rule":"/x/**","reason":"groups","session":"1"`)
	write(`"level":"ERROR","msg":"configuration refused","problem":"\u001b[31m:3: unknown key","component":"config"`)
	if _, err := log.Write([]byte("hubgate: port 8080 is in use\n{\"a\": 1}\n")); err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(`AT  login: a@example.com
AT  deny: /x/**; groups
AT  configuration refused: REPLACED[31m:3: unknown key
hubgate: port 8080 is in use
{"a": 1}
`, "AT", "10:11:12")
	if want = strings.ReplaceAll(want, "REPLACED", string(unicode.ReplacementChar)); out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}

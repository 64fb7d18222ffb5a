package contacts

import (
	"strings"
	"testing"
	"time"
)

func TestProgressOverwritesItsLineOnATerminal(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p := progress{w: &out, terminal: true, last: time.Now()}
	p.show("1 of 2", "")
	p.show("2 of 2", "")
	p.clear()
	p.clear()
	if want := "1 of 2\r\x1b[K2 of 2\r\x1b[K"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

func TestProgressWritesFewLinesToAFile(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p := progress{report: func(text string) { out.WriteString(text + "\n") }, last: time.Now()}
	for range 3 {
		p.show("early", "")
		p.last = time.Now().Add(-progressEvery)
		p.show("later", "")
		p.clear()
	}
	if want := strings.Repeat("later\n", 3); out.String() != want {
		t.Errorf("%q", out.String())
	}
}

func TestProgressWritesANewObstacleAtOnce(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p := progress{report: func(text string) { out.WriteString(text + "\n") }, last: time.Now()}
	for _, because := range []string{"", "401", "401", "403", "", "403"} {
		p.show("paused: "+because, because)
	}
	if want := "paused: 401\npaused: 403\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

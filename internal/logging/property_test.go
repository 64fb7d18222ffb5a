package logging

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestWriterCountsEveryLostLine mixes lines of all classes with a sink that blocks, fails and tears lines, and checks
// after each run: nothing blocked (synctest would report it), every line was either written whole or counted, the order
// of each class was kept, and no audit line was dropped while there was room for it.
func TestWriterCountsEveryLostLine(t *testing.T) {
	for seed := range uint64(16) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, func(t *testing.T, w *Writer, s *sink) { mixed(t, w, s, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func mixed(t *testing.T, w *Writer, s *sink, dice *rand.Rand) {
	names := []string{"application", "access", "audit"}
	offered := map[string]int{}
	size := 1 + dice.IntN(2000) // small ones meet the bound of lines, large ones that of bytes
	for range 1000 {
		switch dice.IntN(40) {
		case 0:
			s.set(true, false, nil)
		case 1, 2:
			s.set(false, false, nil)
		case 3:
			s.set(false, true, func(n int) int { return n * 2 / 3 })
		case 4:
			s.set(false, dice.IntN(2) == 0, func(n int) int { return min(n, 1+n/5) })
		case 5:
			time.Sleep(time.Duration(dice.IntN(3000)) * time.Millisecond)
		}
		class := lineClass(dice.IntN(int(classNotice)))
		before, held := w.Dropped(Full), usageOf(w, classAudit)
		for range 1 + dice.IntN(20) {
			offer(w, class, "%s %d %s.", names[class], offered[names[class]], strings.Repeat("x", dice.IntN(size)))
			offered[names[class]]++
		}
		room := held.lines < bufferLines-20 && held.bytes < bufferBytes-20*(size+50)
		if class == classAudit && w.Dropped(Full) > before && room {
			t.Fatalf("an audit line was dropped beside %+v", held)
		}
	}
	s.set(false, false, nil)
	time.Sleep(noticeEvery + 2*retryAfter)
	offer(w, classAudit, "audit %d .", offered["audit"]) // the next line causes a report of what was lost since the last
	offered["audit"]++
	synctest.Wait()
	w.Close(time.Minute)
	written := inOrder(t, s.String(), offered)
	for _, name := range names {
		if written[name]+written["lost "+name] != offered[name] {
			t.Errorf("of %d %s lines %d were written and %d reported as lost",
				offered[name], name, written[name], written["lost "+name])
		}
	}
	lost := written["lost access"] + written["lost application"] + written["lost audit"]
	if uint64(lost) != w.Dropped(Full)+w.Dropped(WriteError) {
		t.Errorf("%d lines are reported as lost, %d+%d were counted", lost, w.Dropped(Full), w.Dropped(WriteError))
	}
}

func usageOf(w *Writer, class lineClass) usage {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.held[class]
}

// inOrder counts the lines of each class and those that the log reports as lost. Every line must be whole and in order.
func inOrder(t *testing.T, text string, offered map[string]int) map[string]int {
	t.Helper()
	seen, next := map[string]int{}, map[string]int{}
	for line := range strings.Lines(text) {
		var a, b, c, n int
		var name, rest string
		if got, _ := fmt.Sscanf(line, "lost %d %d %d\n", &a, &b, &c); got == 3 {
			seen["lost access"] += a
			seen["lost application"] += b
			seen["lost audit"] += c
			continue
		}
		fmt.Sscanf(line, "%s %d %s\n", &name, &n, &rest)
		if n < next[name] || n >= offered[name] || !strings.HasSuffix(line, ".\n") || strings.Trim(rest, "x") != "." {
			t.Fatalf("torn or out of order, after %d: %.80q", next[name], line)
		}
		next[name] = n + 1
		seen[name]++
	}
	return seen
}

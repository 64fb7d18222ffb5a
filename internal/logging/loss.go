package logging

import (
	"fmt"
	"time"
)

// Loss is how many lines of each class were dropped.
type Loss struct{ Access, Application, Audit uint64 }

const (
	reportEvery   = 10 * time.Second // while lines go on being dropped although others are written
	auditShown    = time.Hour        // how long Health shows that audit lines were dropped, after the last one
	auditPatience = time.Minute      // how long audit lines may wait before Health says so
)

// loss is what is known of lines that were dropped, and of a sink that takes none. Writer.mu guards it.
type loss struct {
	untold   Loss // not yet reported in the log
	notice   func(Loss)
	reported time.Time // when notice was last called
	fault    string    // of the last write; "" when it succeeded
	waiting  time.Time // since when audit lines wait without any being written

	audit       uint64 // audit lines that were dropped from first to last
	first, last time.Time
}

// OnLoss sets what logs a line of class Notice that reports a loss. It is called when lines are written again, once for
// each loss.
func (w *Writer) OnLoss(notice func(Loss)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loss.notice = notice
}

// Dropped is how many lines were dropped for a reason.
func (w *Writer) Dropped(why Reason) uint64 { return w.dropped[why].Load() }

// drop counts a line that is not written. It is called with mu held.
func (w *Writer) drop(class Class, why Reason) {
	l := &w.loss
	switch class {
	case Notice:
		return
	case Access:
		l.untold.Access++
	case Application:
		l.untold.Application++
	case Audit:
		now := time.Now()
		if !w.auditLost(now) {
			l.audit, l.first = 0, now
		}
		l.untold.Audit++
		l.audit++
		l.last = now
	}
	w.dropped[why].Add(1)
}

// auditLost reports whether audit lines were dropped and that is not both written in the log and an hour ago.
func (w *Writer) auditLost(now time.Time) bool {
	told := w.loss.untold.Audit == 0 && w.held[Notice].lines == 0
	return w.loss.audit > 0 && (!told || now.Sub(w.loss.last) < auditShown)
}

// report queues the line that says what was lost, when the last write succeeded.
func (w *Writer) report() {
	w.mu.Lock()
	l, now := &w.loss, time.Now()
	failed, soon := !w.retryAt.IsZero(), now.Sub(l.reported) < reportEvery
	if l.notice == nil || l.untold == (Loss{}) || failed || soon || w.held[Notice].lines > 0 {
		w.mu.Unlock()
		return
	}
	lost := l.untold
	l.untold, l.reported = Loss{}, now
	w.held[Notice].lines++ // or Health would take the loss as reported meanwhile
	w.mu.Unlock()
	l.notice(lost) // without mu: it logs
	w.mu.Lock()
	w.held[Notice].lines--
	w.mu.Unlock()
}

// Health reports whether the audit log is complete, and since when not: audit lines were dropped, or have been waiting
// for a minute. A loss shows until the log says how many lines it lacks, and for an hour at least.
func (w *Writer) Health() (ok bool, detail string, since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, why := time.Now(), "the lines are not read, or not fast enough"
	if w.loss.fault != "" {
		why = w.loss.fault
	}
	switch {
	case w.auditLost(now) && w.loss.untold.Audit == 0 && w.held[Notice].lines == 0:
		return false, fmt.Sprintf("lost audit lines: %d; the log says when", w.loss.audit), w.loss.first
	case w.auditLost(now):
		return false, fmt.Sprintf("lost audit lines: %d; %s", w.loss.audit, why), w.loss.first
	case w.held[Audit].lines > 0 && now.Sub(w.loss.waiting) >= auditPatience:
		return false, fmt.Sprintf("audit lines that wait: %d; %s", w.held[Audit].lines, why), w.loss.waiting
	}
	return true, "", time.Time{}
}

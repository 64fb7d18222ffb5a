package logging

import (
	"fmt"
	"time"
)

// lineCounts are numbers of lines by class.
type lineCounts struct{ access, application, audit uint64 }

const (
	noticeEvery   = 10 * time.Second // while lines are dropped although others are written
	showAuditLoss = time.Hour        // how long Health reports dropped audit lines after the last one
	maxAuditWait  = time.Minute      // how long audit lines may wait before Health reports it
)

// loss is the state of dropped lines and of a sink that fails. Writer.mu guards it.
type loss struct {
	unreported lineCounts // dropped and not yet reported in the log
	notice     func(lineCounts)
	noticed    time.Time // of the last notice
	fault      string    // of the last write; "" if it succeeded
	waiting    time.Time // since when audit lines wait without any being written

	audit       uint64 // audit lines that were dropped between first and last
	first, last time.Time
}

// onLoss sets the function that logs a line of classNotice about dropped lines. It is called once for each loss, when
// lines are written again.
func (w *Writer) onLoss(notice func(lineCounts)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loss.notice = notice
}

// Dropped returns how many lines were dropped for a reason.
func (w *Writer) Dropped(reason Reason) uint64 { return w.dropped[reason].Load() }

// drop counts a line that is not written. The caller holds mu.
func (w *Writer) drop(class lineClass, reason Reason) {
	l := &w.loss
	switch class {
	case classNotice:
		return
	case classAccess:
		l.unreported.access++
	case classApplication:
		l.unreported.application++
	case classAudit:
		now := time.Now()
		if !w.auditLost(now) {
			l.audit, l.first = 0, now
		}
		l.unreported.audit++
		l.audit++
		l.last = now
	}
	w.dropped[reason].Add(1)
}

// auditReported reports whether the log says how many audit lines were dropped. The caller holds mu.
func (w *Writer) auditReported() bool {
	return w.loss.unreported.audit == 0 && w.held[classNotice].lines == 0
}

// auditLost reports whether audit lines were dropped, and the log does not say so or the last was less than an hour
// ago. The caller holds mu.
func (w *Writer) auditLost(now time.Time) bool {
	return w.loss.audit > 0 && (!w.auditReported() || now.Sub(w.loss.last) < showAuditLoss)
}

// reportLoss queues the notice about lost lines, if the last write succeeded.
func (w *Writer) reportLoss() {
	w.mu.Lock()
	l, now := &w.loss, time.Now()
	failed, tooSoon := !w.retryAt.IsZero(), now.Sub(l.noticed) < noticeEvery
	if l.notice == nil || l.unreported == (lineCounts{}) || failed || tooSoon || w.held[classNotice].lines > 0 {
		w.mu.Unlock()
		return
	}
	lost := l.unreported
	l.unreported, l.noticed = lineCounts{}, now
	w.held[classNotice].lines++ // otherwise Health would consider the loss reported already
	w.mu.Unlock()
	l.notice(lost) // without mu: it logs
	w.mu.Lock()
	w.held[classNotice].lines--
	w.mu.Unlock()
}

// Health reports whether the audit log is complete, otherwise what is missing and since when. It is incomplete when
// audit lines were dropped, until the log says how many and for an hour at least, or when they wait for a minute.
func (w *Writer) Health() (ok bool, detail string, since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, reason := time.Now(), "the reader of the log is too slow, or stopped"
	if w.loss.fault != "" {
		reason = w.loss.fault
	}
	switch {
	case w.auditLost(now) && w.auditReported():
		return false, fmt.Sprintf("lost audit lines: %d; the log says when", w.loss.audit), w.loss.first
	case w.auditLost(now):
		return false, fmt.Sprintf("lost audit lines: %d; %s", w.loss.audit, reason), w.loss.first
	case w.held[classAudit].lines > 0 && now.Sub(w.loss.waiting) >= maxAuditWait:
		return false, fmt.Sprintf("waiting audit lines: %d; %s", w.held[classAudit].lines, reason), w.loss.waiting
	}
	return true, "", time.Time{}
}

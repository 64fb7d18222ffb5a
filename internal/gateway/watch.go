package gateway

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

const (
	settleTime  = 200 * time.Millisecond // after a file event: editors and Kubernetes write in several steps
	settleLimit = 2 * time.Second        // after the first file event, if other files of the folder keep changing
	pollEvery   = 30 * time.Second       // network file systems report no events
	retryUnread = time.Second            // after a fault of this machine
)

// watch reloads when the configuration or a file that it reads may have changed, until ctx ends: after a file event,
// SIGHUP or a poll.
func (r *reloader) watch(ctx context.Context) error {
	folders := newFolders()
	defer folders.close()
	if folders.err != nil {
		r.log.Warn("no file events on this system; changes take effect on SIGHUP or within 30 s", "error", folders.err)
	}
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	var first time.Time          // of a series of events
	var settled <-chan time.Time // nil if no event waits
	reload := func(forced bool) {
		r.reload(forced)
		folders.watch(r.files())
		if r.unread.Load() != nil {
			first, settled = time.Now(), time.After(retryUnread)
		}
	}
	folders.watch(r.files())
	reload(false) // for changes since the start
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-folders.changed:
			if settled == nil {
				first = time.Now()
			}
			settled = time.After(min(settleTime, time.Until(first.Add(settleLimit))))
		case <-settled:
			if r.fileMissing() && time.Since(first) < settleLimit {
				settled = time.After(settleTime)
				continue
			}
			settled = nil
			reload(false)
		case <-poll.C:
			if r.fileMissing() && settled == nil {
				first, settled = time.Now(), time.After(settleTime)
				continue
			}
			reload(false)
		case <-r.hup:
			reload(true)
		}
	}
}

// files returns the files of the configuration.
func (r *reloader) files() []string {
	return append([]string{r.path}, r.gateway.current.Load().report.Files...)
}

// fileMissing reports whether a file does not exist: some programs delete a file before they write it.
func (r *reloader) fileMissing() bool {
	for _, file := range r.files() {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

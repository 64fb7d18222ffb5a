package gateway

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/hubgate/hubgate/internal/logging"
)

// How a change is noticed: a file event, SIGHUP, or this poll, which also sees what network file systems do not tell.
const (
	settle     = 200 * time.Millisecond // editors and Kubernetes write in several steps
	settleMax  = 2 * time.Second        // something else in the folder may never stop writing
	poll       = 30 * time.Second
	unreadable = time.Second // after it a configuration is tried again that this machine could not read
)

// watch reloads when the configuration or a file it reads has changed, until ctx ends. It is the only caller of reload, so reloads never
// overlap and the newest file wins.
func (g *gateway) watch(ctx context.Context) error {
	folders := newFolders()
	defer folders.close()
	if folders.err != nil {
		logging.Component(g.log, "config").Warn("no file events on this system; changes are seen by SIGHUP and every 30 s", "error", folders.err)
	}
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	var first time.Time
	var settled <-chan time.Time
	look := func(asked bool) {
		g.reload(asked)
		folders.watch(g.watched())
		if g.unread.Load() != nil {
			first, settled = time.Now(), time.After(unreadable)
		}
	}
	folders.watch(g.watched())
	look(false) // what changed since the start
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-folders.changed():
			if settled == nil {
				first = time.Now()
			}
			settled = time.After(min(settle, time.Until(first.Add(settleMax))))
		case <-settled:
			if g.vanished() && time.Since(first) < settleMax {
				settled = time.After(settle)
				continue
			}
			settled = nil
			look(false)
		case <-ticker.C:
			if g.vanished() && settled == nil {
				first, settled = time.Now(), time.After(settle)
				continue
			}
			look(false)
		case <-g.hup:
			look(true)
		}
	}
}

// watched are the files that make the configuration.
func (g *gateway) watched() []string {
	return append([]string{g.path}, g.current.Load().report.Files...)
}

// vanished reports whether a file is not there: some programs remove a file before they write it anew.
func (g *gateway) vanished() bool {
	for _, file := range g.watched() {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

// folders tells of changes beside files. The folders are watched, not the files: editors replace files, and Kubernetes swaps a symlink
// beside them. One that cannot be watched is seen by the poll.
type folders struct {
	watcher *fsnotify.Watcher // nil when the system gives none
	err     error
	events  chan struct{}
}

func newFolders() *folders {
	f := &folders{events: make(chan struct{}, 1)}
	if f.watcher, f.err = fsnotify.NewWatcher(); f.err != nil {
		f.watcher = nil
		return f
	}
	go f.listen()
	return f
}

// listen boils everything that happens down to "something changed".
func (f *folders) listen() {
	events, errs := f.watcher.Events, f.watcher.Errors
	for {
		var open bool
		select {
		case _, open = <-events:
		case _, open = <-errs: // events were lost, say
		}
		if !open {
			return
		}
		select {
		case f.events <- struct{}{}:
		default:
		}
	}
}

func (f *folders) changed() <-chan struct{} { return f.events }

// watch makes the folders of these files the ones that are watched.
func (f *folders) watch(files []string) {
	if f.watcher == nil {
		return
	}
	want := foldersOf(files)
	for _, old := range f.watcher.WatchList() {
		if !slices.Contains(want, old) {
			_ = f.watcher.Remove(old)
		}
	}
	for _, folder := range want {
		_ = f.watcher.Add(folder)
	}
}

func (f *folders) close() {
	if f.watcher != nil {
		f.watcher.Close()
	}
}

// foldersOf are where files stand, and where they really stand when a link leads to them.
func foldersOf(files []string) []string {
	var all []string
	add := func(folder string) {
		if !slices.Contains(all, folder) {
			all = append(all, folder)
		}
	}
	for _, file := range files {
		add(filepath.Dir(file))
		real, err := filepath.EvalSymlinks(file)
		if err != nil {
			continue
		}
		add(filepath.Dir(real))
		if info, err := os.Stat(real); err == nil && info.IsDir() {
			add(real)
		}
	}
	return all
}

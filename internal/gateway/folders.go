package gateway

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/fsnotify/fsnotify"
)

// folders watches the folders of files. It does not watch the files, because editors replace them and Kubernetes
// replaces a symlink next to them. A folder that cannot be watched is left to the poll.
type folders struct {
	watcher *fsnotify.Watcher // nil if the system has no file events
	err     error             // why there are none
	changed chan struct{}     // receives one value for any number of events
}

func newFolders() *folders {
	f := &folders{changed: make(chan struct{}, 1)}
	if f.watcher, f.err = fsnotify.NewWatcher(); f.err != nil {
		f.watcher = nil
		return f
	}
	go f.forward()
	return f
}

// forward turns events into values of changed. An error counts as an event: some events may be lost.
func (f *folders) forward() {
	events, errs := f.watcher.Events, f.watcher.Errors
	for {
		var open bool
		select {
		case _, open = <-events:
		case _, open = <-errs:
		}
		if !open {
			return
		}
		select {
		case f.changed <- struct{}{}:
		default:
		}
	}
}

// watch watches the folders of these files, and no others.
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

// foldersOf returns the folders of files, of the targets of symlinks, and targets that are folders themselves.
func foldersOf(files []string) []string {
	var all []string
	add := func(folder string) {
		if !slices.Contains(all, folder) {
			all = append(all, folder)
		}
	}
	for _, file := range files {
		add(filepath.Dir(file))
		target, err := filepath.EvalSymlinks(file)
		if err != nil {
			continue
		}
		add(filepath.Dir(target))
		if info, err := os.Stat(target); err == nil && info.IsDir() {
			add(target)
		}
	}
	return all
}

package hubspot

import (
	"log/slog"
	"strings"
)

// faults is what the log says already: a fault is logged once when it begins and once when it has ended, however often what it stops is
// tried meanwhile and whichever worker tries it. Only Run uses it.
type faults struct {
	queue  bool // the queue cannot be worked on
	logged map[string]bool
}

// queueFails logs that the queue cannot be worked on.
func (f *faults) queueFails(log *slog.Logger, err error) {
	if !f.queue {
		log.Warn("contact queue cannot be worked on, trying again", "error", err)
	}
	f.queue = true
}

// queueWorks logs that the queue is worked on again, by this replica or another.
func (f *faults) queueWorks(log *slog.Logger) {
	if f.queue {
		log.Info("contact queue is worked on again")
	}
	f.queue = false
}

// maxLogged bounds what is remembered: texts from outside are as many as they like.
const maxLogged = 1000

// firstTime reports whether something was not logged yet.
func (f *faults) firstTime(what string) bool {
	if f.logged == nil || len(f.logged) > maxLogged {
		f.logged = map[string]bool{}
	}
	logged := f.logged[what]
	f.logged[what] = true
	return !logged
}

// refusal begins what is remembered of HubSpot refusing all calls.
const refusal = "refusal "

// ended forgets everything that begins with a text, and reports whether there was anything.
func (f *faults) ended(what string) bool {
	found := false
	for logged := range f.logged {
		if strings.HasPrefix(logged, what) {
			delete(f.logged, logged)
			found = true
		}
	}
	return found
}

package hubspot

import (
	"log/slog"
	"strings"
)

// faults are the failures that have been logged: each is logged once when it begins and once when it has ended,
// regardless of retries. Only Run uses them.
type faults struct {
	queue  bool // the queue cannot be processed
	logged map[string]bool
}

// queueFails logs that the queue cannot be processed.
func (f *faults) queueFails(log *slog.Logger, err error) {
	if !f.queue {
		log.Warn("cannot process the contact queue, retrying", "error", err)
	}
	f.queue = true
}

// queueWorks logs that this replica or another processes the queue again.
func (f *faults) queueWorks(log *slog.Logger) {
	if f.queue {
		log.Info("the contact queue is processed again")
	}
	f.queue = false
}

// maxLogged limits the memory for texts that HubSpot chooses.
const maxLogged = 1000

// firstTime reports whether a failure was not logged yet.
func (f *faults) firstTime(failure string) bool {
	if f.logged == nil || len(f.logged) > maxLogged {
		f.logged = map[string]bool{}
	}
	logged := f.logged[failure]
	f.logged[failure] = true
	return !logged
}

// refusal is the prefix of failures in which HubSpot rejects all calls.
const refusal = "refusal "

// ended forgets the failures with a prefix and reports whether there were any.
func (f *faults) ended(prefix string) bool {
	found := false
	for logged := range f.logged {
		if strings.HasPrefix(logged, prefix) {
			delete(f.logged, logged)
			found = true
		}
	}
	return found
}

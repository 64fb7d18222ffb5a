package access

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestReplicasWithDifferentListsKeepTheirAnswers checks what one person with an open connection to each replica costs
// while a change of the configuration is rolled out, and that an answer survives those to other questions.
func TestReplicasWithDifferentListsKeepTheirAnswers(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]map[string]ListID{
		"added": {"customers": "1", "beta": "2"}, "replaced": {"customers": "9"}, "overlapping": {"a": "2", "b": "9"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.cfg.Properties, w.cfg.Lists = nil, map[string]ListID{"customers": "1", "x": "2"}
				if name == "added" {
					delete(w.cfg.Lists, "x")
				}
				before, ada := w.replica(), w.member("ada", "101", "1", "2", "9")
				w.cfg.Lists = after
				replicas := []*Access{before, w.replica()}
				ctx, stop := context.WithCancel(t.Context())
				var all sync.WaitGroup
				for i, a := range replicas {
					all.Go(func() {
						time.Sleep(time.Duration(i) * time.Second)
						for ctx.Err() == nil {
							changed, end := a.Watch(ada)
							w.know(a, ada, false)
							select {
							case <-changed:
							case <-time.After(10 * time.Second):
							case <-ctx.Done():
							}
							end()
						}
					})
				}
				time.Sleep(14 * time.Minute)
				stop()
				all.Wait()
				if calls := w.hubspot.received(); len(calls) > 8 {
					t.Errorf("%d calls", len(calls))
				}
				w.know(before, ada, true)
				synctest.Wait()
				w.hubspot.setRefuse(failWith(http.StatusServiceUnavailable, nil))
				fresh := w.replica() // has nothing in memory
				for _, id := range after {
					if known := w.know(fresh, ada, false); known == nil || !known.Lists[string(id)] {
						t.Errorf("list %s: %+v", id, known)
					}
				}
			})
		})
	}
}

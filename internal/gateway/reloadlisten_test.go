package gateway

import (
	"slices"
	"testing"
)

// The hash leaves out what is inserted into addresses to listen on, because replicas differ there. A change there is
// still a change of the configuration.
func TestReloadNoticesAnAddressInAFile(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	r.write("address", "127.0.0.1:9090")
	r.edit("server:\n", "server:\n  admin_listen: ${file:address}\n")
	r.reloader.reload(false)
	hash := r.current.Load().hash
	r.write("address", "127.0.0.1:9999")
	r.reloader.reload(false)
	last := r.reloader.last.Load()
	if !last.OK || last.SHA256 != hash || !slices.Contains(last.RestartNeeded, "server.admin_listen") {
		t.Errorf("another address: %+v", last)
	}
	r.write("address", "127.0.0.1")
	r.reloader.reload(false)
	if last := r.reloader.last.Load(); last.OK || r.health().Checks["config"].OK {
		t.Errorf("a mistake: %+v", last)
	}
	r.write("address", "127.0.0.1:9090")
	r.reloader.reload(false)
	if last := r.reloader.last.Load(); !last.OK || slices.Contains(last.RestartNeeded, "server.admin_listen") {
		t.Errorf("the address that is in use: %+v", last)
	}
}

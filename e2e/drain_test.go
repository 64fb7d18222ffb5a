package e2e

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// replace puts new texts into the configuration for old ones.
func (w *world) replace(oldnew ...string) {
	w.t.Helper()
	w.rewrite(func(text string) string {
		changed := strings.NewReplacer(oldnew...).Replace(text)
		if changed == text {
			w.t.Fatalf("nothing of %q is in the configuration", oldnew)
		}
		return changed
	})
}

func TestASecondSignalEndsTheProcessAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.replace("drain_delay: 0s", "drain_delay: 1h")
	gateway := w.serve()
	gateway.signal(syscall.SIGTERM)
	gateway.says(`"msg":"draining"`)
	if res, err := http.Get(w.site() + "/pricing"); err != nil || !res.Close || res.StatusCode != http.StatusOK {
		t.Errorf("while it drains: %v, %v", res, err)
	}
	if code := gateway.terminate(); code != 1 {
		t.Errorf("exit status %d", code)
	}
	if strings.Contains(gateway.out.String(), `"msg":"stopped"`) {
		t.Error("it says that it had stopped politely")
	}
}

func TestTheContactQueueIsHandedOverByAProcessThatEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.crm.setAnswer(func(int) int { return http.StatusTooManyRequests })
	gateway := w.serve()
	w.login(newVisitor(t), "/members/")
	eventually(t, "the queue is worked on", func() bool { return redisCLI(t, w.redisPort, "exists", "hubgate:{crm}:lease") == "1\n" })
	if code := gateway.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if got := redisCLI(t, w.redisPort, "exists", "hubgate:{crm}:lease"); got != "0\n" {
		t.Errorf("the lease is kept: %q", got)
	}
	w.crm.setAnswer(nil)
	w.serve()
	eventually(t, "the contact is in the CRM", func() bool { return w.crm.contact(email) != nil })
}

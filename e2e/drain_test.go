package e2e

import (
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/net/http2"
)

// replace puts new texts into the configuration for old ones.
func (w *world) replace(oldnew ...string) {
	w.t.Helper()
	change(w.t, w.config, oldnew...)
}

// change puts new texts into a file for old ones.
func change(t *testing.T, path string, oldnew ...string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(oldnew...).Replace(string(text))
	if changed == string(text) {
		t.Fatalf("nothing of %q is in %s", oldnew, path)
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestASecondSignalEndsTheProcessAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.replace("drain_delay: 0s", "drain_delay: 1h")
	gw := w.serve()
	gw.signal(syscall.SIGTERM)
	gw.says(`"msg":"draining"`)
	if res, err := http.Get(w.site() + "/pricing"); err != nil || !res.Close || res.StatusCode != http.StatusOK {
		t.Errorf("while it drains: %v, %v", res, err)
	}
	if code := gw.terminate(); code != 1 {
		t.Errorf("exit status %d", code)
	}
	if strings.Contains(gw.out.String(), `"msg":"stopped"`) {
		t.Error("it says that it had stopped politely")
	}
}

func TestAProcessThatDrainsSendsHTTP2VisitorsElsewhere(t *testing.T) {
	t.Parallel()
	ports, gw := startWithCertificate(t)
	change(t, gw.config(), "drain_delay: 0s", "drain_delay: 1h")
	gw.says(`"msg":"configuration reloaded"`)
	c := dialH2(t, ports)
	if err := c.WriteSettingsAck(); err != nil {
		t.Fatal(err)
	}
	gw.signal(syscall.SIGTERM)
	gw.says(`"msg":"draining"`)
	c.request(1)
	answered, goAway := false, false
	for !goAway || !answered {
		frame, err := c.ReadFrame()
		if err != nil {
			t.Fatalf("answered %v, told to go %v: %v", answered, goAway, err)
		}
		switch f := frame.(type) {
		case *http2.GoAwayFrame:
			goAway = f.ErrCode == http2.ErrCodeNo
		case *http2.DataFrame:
			answered = answered || f.StreamEnded()
		case *http2.HeadersFrame:
			answered = answered || f.StreamEnded()
		}
	}
}

func TestTheContactQueueIsHandedOverByAProcessThatEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.crm.setAnswer(func(int) int { return http.StatusTooManyRequests })
	gw := w.serve()
	w.login(newVisitor(t), "/members/")
	eventually(t, "the queue is worked on", func() bool { return redisCLI(t, w.redisPort, "exists", "hubgate:{crm}:lease") == "1\n" })
	if code := gw.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if got := redisCLI(t, w.redisPort, "exists", "hubgate:{crm}:lease"); got != "0\n" {
		t.Errorf("the lease is kept: %q", got)
	}
	w.crm.setAnswer(nil)
	w.serve()
	eventually(t, "the contact is in the CRM", func() bool { return w.crm.contact(email) != nil })
}

package e2e

import (
	"net/http"
	"syscall"
	"testing"

	"golang.org/x/net/http2"
)

func TestSecondSignalStopsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{config: config{"server.drain_delay": "1h"}})
	g := s.serve()
	g.signal(syscall.SIGTERM)
	g.waitFor(`"msg":"draining"`)
	if res, err := http.Get(s.url + "/pricing"); err != nil || !res.Close || res.StatusCode != http.StatusOK {
		t.Errorf("while draining: %v, %v", res, err)
	}
	if code := g.terminate(); code != 1 {
		t.Errorf("exit status %d", code)
	}
	if g.out.contains(`"msg":"stopped"`) {
		t.Error("the log reports a graceful stop")
	}
}

func TestDrainSendsGoAwayOverHTTP2(t *testing.T) {
	t.Parallel()
	g := startHTTPS(t)
	g.set(config{"server.drain_delay": "1h"})
	g.waitFor(`"msg":"configuration reloaded"`)
	c := dialH2(t, g.port)
	if err := c.WriteSettingsAck(); err != nil {
		t.Fatal(err)
	}
	g.signal(syscall.SIGTERM)
	g.waitFor(`"msg":"draining"`)
	c.request(1)
	answered, goAway := false, false
	for !goAway || !answered {
		frame, err := c.ReadFrame()
		if err != nil {
			t.Fatalf("answered %v, GOAWAY %v: %v", answered, goAway, err)
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

func TestDrainReleasesTheContactLease(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	s.crm.answerAll(http.StatusTooManyRequests)
	g := s.serve()
	s.login(newVisitor(t), "/members/")
	lease := func() string { return s.redis.cli("exists", "hubgate:{crm}:lease") }
	eventually(t, "the gateway has the lease", func() bool { return lease() == "1\n" })
	if code := g.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if got := lease(); got != "0\n" {
		t.Errorf("the lease was not released: %q", got)
	}
	s.crm.answerAll(http.StatusOK)
	g.start()
	eventually(t, "the contact is in the CRM", func() bool { return s.crm.contact(email) != nil })
}

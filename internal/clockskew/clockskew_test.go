package clockskew

import (
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
)

func TestWrongClockIsReportedOnceUntilAServerAgrees(t *testing.T) {
	t.Parallel()
	reports := 0
	c := Clock{OnWrong: func(setting.Finding) { reports++ }}
	since := time.Unix(1_800_000_000, 0)
	if _, _, wrong := c.Health(); wrong {
		t.Error("wrong before the first response")
	}
	c.record("a", 20*time.Second, since)
	c.record("b", 21*time.Second, since.Add(time.Hour))
	detail, at, wrong := c.Health()
	if !wrong || detail != "this machine's clock is 20s behind" || !at.Equal(since) || reports != 1 {
		t.Errorf("%q since %v, wrong %v, reported %d times", detail, at, wrong, reports)
	}
	c.record("b", 0, since.Add(2*time.Hour))
	if detail, _, wrong := c.Health(); wrong {
		t.Error(detail)
	}
	c.record("b", 20*time.Second, since.Add(3*time.Hour))
	if _, _, wrong := c.Health(); !wrong || reports != 2 {
		t.Errorf("wrong %v, reported %d times", wrong, reports)
	}
}

func TestClockThatDiffersFromOneServerOnlyIsRight(t *testing.T) {
	t.Parallel()
	var c Clock
	for host, offset := range map[string]time.Duration{"a": time.Hour, "b": 0, "c": -time.Minute} {
		c.record(host, offset, time.Now())
	}
	if got := c.Findings(); len(got) != 1 || got[0].Status != setting.OK {
		t.Errorf("%+v", got)
	}
}

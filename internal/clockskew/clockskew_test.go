package clockskew

import (
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
)

func TestAWrongClockIsToldOnceAndStaysInTheHealthUntilSomebodyAgrees(t *testing.T) {
	t.Parallel()
	told := 0
	c := Clock{Tell: func(setting.Finding) { told++ }}
	since := time.Unix(1_800_000_000, 0)
	if _, _, bad := c.Health(); bad {
		t.Error("wrong before anybody answered")
	}
	c.note("a", 20*time.Second, since)
	c.note("b", 21*time.Second, since.Add(time.Hour))
	if f, at, bad := c.Health(); !bad || f != "this machine's clock is 20s behind" || !at.Equal(since) || told != 1 {
		t.Errorf("%+v %v, told %d times", f, bad, told)
	}
	c.note("b", 0, since.Add(2*time.Hour))
	if f, _, bad := c.Health(); bad {
		t.Errorf("%+v", f)
	}
	c.note("b", 20*time.Second, since.Add(3*time.Hour))
	if _, _, bad := c.Health(); !bad || told != 2 {
		t.Errorf("%v, told %d times", bad, told)
	}
}

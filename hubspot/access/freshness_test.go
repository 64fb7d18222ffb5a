package access

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestJudgeGoesByAge(t *testing.T) {
	t.Parallel()
	n := newNeed(DefaultConfig())
	now := time.Unix(1_800_000_000, 0)
	for _, c := range []struct {
		age    time.Duration
		denied bool
		want   freshness
	}{
		{0, false, fresh}, {15 * time.Minute, false, fresh}, {15*time.Minute + 1, false, aging},
		{30 * time.Minute, false, aging}, {30*time.Minute + 1, false, aged}, {4*time.Hour - 1, false, aged},
		{4 * time.Hour, false, unusable}, {1000 * time.Hour, true, unusable},
		{30 * time.Second, true, fresh}, {30*time.Second + 1, true, aged}, {20 * time.Minute, true, aged},
		{-5 * time.Second, false, fresh}, {-5*time.Second - 1, false, unusable},
	} {
		k := &Known{Email: "ada@example.com", Account: "4711", ReadAt: now.Add(-c.age)}
		about := subject{email: "ada@example.com", account: "4711", now: now}
		if got := n.judge(k, about, c.denied); got != c.want {
			t.Errorf("%s old, denied %v: %d, want %d", c.age, c.denied, got, c.want)
		}
		for name, other := range map[string]subject{
			"another address": {"bob@example.com", "4711", now}, "another account": {"ada@example.com", "4712", now},
		} {
			if got := n.judge(k, other, c.denied); got != unusable {
				t.Errorf("%s: %d", name, got)
			}
		}
	}
}

func TestValuesAreSplitAtSemicolons(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"": "", "gold": "gold", ";gold;;silver;": "gold|silver", strings.Repeat("x", maxValue+1): "",
		"a, b": "a, b", " gold": " gold",
	} {
		if got := strings.Join(valuesOf(value), "|"); got != want {
			t.Errorf("%.20q: %q, want %q", value, got, want)
		}
	}
}

func TestCacheWeighsWhatHubSpotChooses(t *testing.T) {
	t.Parallel()
	value := strings.Repeat("x", maxValue)
	k := &Known{Properties: map[string][]string{"a": {value}, "b": {value, value}}}
	if least, got := uint32(3*maxValue), weight("name", held{known: k}); got < least || got > 2*least {
		t.Errorf("%d bytes weigh %d", least, got)
	}
	if got := weight("name", held{}); got < 100 || got > 1000 {
		t.Errorf("nothing weighs %d", got)
	}
}

func TestEveryKeyIsInThePrivacyDocument(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/privacy.md")
	if err != nil {
		t.Fatal(err)
	}
	st := store{}
	for _, name := range []string{st.record("MAC"), st.claims("MAC"), st.channel()} {
		if !strings.Contains(string(doc), "`"+name+"`") {
			t.Errorf("docs/privacy.md does not say what %s holds", name)
		}
	}
}

func TestMetricsCountPeopleAndReasons(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a := w.replica()
		w.know(a, w.member("ada", "101", "1"), false)
		w.know(a, visitor("stranger"), false)
		w.hubspot.setLatency(5 * time.Second)
		w.know(a, w.member("slow", "102"), false)
		time.Sleep(time.Minute)
		w.hubspot.setRefuse(failWith(503, nil))
		w.know(a, w.member("lost", "103"), false)
		time.Sleep(time.Minute)
		w.know(a, w.member("later", "104"), false)
		m := a.deps.Metrics
		for name, c := range map[string]struct{ got, want float64 }{
			"found":      {testutil.ToFloat64(m.reads.WithLabelValues(readFound)), 2},
			"no contact": {testutil.ToFloat64(m.reads.WithLabelValues(readNoContact)), 1},
			"unknown":    {testutil.ToFloat64(m.reads.WithLabelValues(readUnknown)), 1},
			"timeout":    {testutil.ToFloat64(m.unknown.WithLabelValues(unknownTimeout)), 2},
			"outage":     {testutil.ToFloat64(m.unknown.WithLabelValues(unknownOutage)), 1},
		} {
			if c.got != c.want {
				t.Errorf("%s: %v, want %v", name, c.got, c.want)
			}
		}
	})
}

package contacts

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/command"
)

func TestContactStatusSaysThatSyncIsOff(t *testing.T) {
	t.Parallel()
	for sync, want := range map[string]bool{"off": true, "on": false, "": false} {
		var out bytes.Buffer
		if err := printStatus(&command.Env{Stdout: &out}, outbox.Status{Sync: sync, Dead: 2}, time.Now()); err != nil {
			t.Fatal(err)
		}
		if got := strings.HasPrefix(out.String(), "sync      off: hubspot.access_token is empty, or"); got != want {
			t.Errorf("%q: %s", sync, out.String())
		}
	}
}

func TestClockShowsSecondsOfATimeThatIsNear(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 23, 59, 50, 0, time.UTC)
	for after, want := range map[time.Duration]string{
		5 * time.Second: "23:59:55 UTC", 119 * time.Second: "29 Nov 00:01:49 UTC", -time.Minute: "23:58 UTC",
		2 * time.Minute: "29 Nov 00:01 UTC", -time.Hour: "22:59 UTC",
	} {
		if got := clock(now.Add(after), now); got != want {
			t.Errorf("%v: %s, want %s", after, got, want)
		}
	}
}

func TestContactStatusIsReadable(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 2, 3, 4, 0, time.UTC)
	soon, yesterday := now.Add(10*time.Minute), now.Add(-5*time.Hour)
	for _, c := range []struct {
		status outbox.Status
		want   string
	}{
		{outbox.Status{}, `queued    0
retrying  0
held      0
in flight 0
oldest    0s
dead      0
`},
		{outbox.Status{
			Queued: 12, Delayed: 1, Held: 2, InFlight: 100, OldestSeconds: 83.4, Dead: 3, PausedUntil: &soon,
			PausedBecause: "401: HubSpot rejects the token; put a new one into hubspot.access_token",
		}, `queued    12
retrying  1  (hubgate contacts queue shows the errors)
held      2  (unchanged; sent when min_interval ends)
in flight 100
oldest    1m23s
dead      3  (hubgate contacts dead shows the reasons)
paused until 02:13 UTC (401: HubSpot rejects the token; put a new one into hubspot.access_token)
`},
		{outbox.Status{
			PausedUntil: &soon,
			RejectedProperties: []outbox.RejectedProperty{
				{Property: "nosuchprop", Reason: "no_such_property", Count: 2, LastAt: now},
				{Property: "tier", Reason: `"wood" is not an option (silver, gold)`, Count: 1, LastAt: yesterday},
			},
			UnseenClaims: []outbox.UnseenClaim{
				{Claim: "famly_name", Property: "lastname", Logins: 3},
				{Claim: "custom:tier", Property: "tier", Logins: 1, LastSeen: &yesterday},
			},
		}, `queued    0
retrying  0
held      0
in flight 0
oldest    0s
dead      0
paused until 02:13 UTC
dropped   nosuchprop   2 times, last 02:03 UTC: no such property in HubSpot (hubgate contacts setup creates it)
dropped   tier         1 time, last 27 Nov 21:03 UTC: "wood" is not an option (silver, gold)
unseen    famly_name   3 logins without it, never seen: is the claim of lastname misspelt?
unseen    custom:tier  1 login without it, last seen 27 Nov 21:03 UTC: is the claim of tier misspelt?
`},
	} {
		var out bytes.Buffer
		if err := printStatus(&command.Env{Stdout: &out}, c.status, now); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, out.String()); d != "" {
			t.Error(d)
		}
	}
}

package contacts

import (
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/setting"
)

// Command returns the subcommand "contacts".
func Command(e *command.Env) *cobra.Command {
	flags := &command.AdminFlags{}
	cmd := &cobra.Command{
		Use: "contacts", Short: "Manage the contact queue of a running gateway, and set up HubSpot for it",
		Example: command.Example("hubgate contacts status", "hubgate contacts setup"),
	}
	command.Group(cmd)
	flags.Add(cmd)
	cmd.AddCommand(statusCommand(e, flags), queueCommand(e, flags), deadCommand(e, flags), replayCommand(e, flags),
		sendCommand(e, flags), showCommand(e, flags), forgetCommand(e, flags), setupCommand(e, flags),
		backfillCommand(e, flags))
	return cmd
}

func statusCommand(e *command.Env, flags *command.AdminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show the contact queue, and which values do not reach HubSpot", Args: command.NoArguments,
		Example: command.Example(
			"hubgate contacts status",
			"hubgate contacts status --admin http://127.0.0.1:9090 --token-file admin_token",
		),
		Long: `Shows how many contacts are waiting, why calls to HubSpot are paused, and which values do not reach HubSpot.
Exit status: 0 when nothing needs attention, 3 when there are dead letters or dropped values.`,
		RunE: func(*cobra.Command, []string) error {
			var s outbox.Status
			if err := flags.Get(e, "/api/contacts", &s); err != nil {
				return err
			}
			if e.Output == "json" {
				if err := e.PrintJSON(s); err != nil {
					return err
				}
			} else if err := printStatus(e, s, time.Now()); err != nil {
				return err
			}
			return command.Found(s.Dead > 0 || len(s.RejectedProperties) > 0)
		},
	}
}

func printStatus(e *command.Env, s outbox.Status, now time.Time) error {
	row := func(name, text string) { command.Fprintf(e.Stdout, "%-9s %s\n", name, text) }
	count := func(name string, n int64, explanation string) {
		text := strconv.FormatInt(n, 10)
		if n > 0 && explanation != "" {
			text += "  (" + explanation + ")"
		}
		row(name, text)
	}
	if s.Sync == "off" {
		row("sync", "off: hubspot.access_token is empty, or hubspot.contacts.sync is false; nothing is queued or sent")
	}
	count("queued", s.Queued, "")
	count("retrying", s.Delayed, "hubgate contacts queue shows the errors")
	count("held", s.Held, "unchanged; sent when min_interval ends")
	count("in flight", s.InFlight, "")
	row("oldest", (time.Duration(s.OldestSeconds) * time.Second).String())
	count("dead", s.Dead, "hubgate contacts dead shows the reasons")
	if s.PausedUntil != nil {
		row("paused until", pauseText(s, now))
	}
	table := e.Table()
	for _, p := range s.RejectedProperties {
		command.Fprintf(table, "%-9s %s\t%s, last %s: %s\n", "dropped", p.Property, setting.Count(int(p.Count), "time"),
			clock(p.LastAt, now), reasonText(p.Reason))
	}
	for _, c := range s.UnseenClaims {
		seen := "never seen"
		if c.LastSeen != nil {
			seen = "last seen " + clock(*c.LastSeen, now)
		}
		command.Fprintf(table, "%-9s %s\t%s without it, %s: is the claim of %s misspelt?\n", "unseen", c.Claim,
			setting.Count(int(c.Logins), "login"), seen, c.Property)
	}
	return table.Flush()
}

// pauseText returns until when calls to HubSpot are paused, and why.
func pauseText(s outbox.Status, now time.Time) string {
	text := clock(*s.PausedUntil, now)
	if s.PausedBecause != "" {
		text += " (" + s.PausedBecause + ")"
	}
	return text
}

// reasonText returns a reason for a dropped value in words. Reasons that HubSpot gave are words already.
func reasonText(reason string) string {
	if code := crm.Reason(reason); slices.Contains(crm.Reasons(), code) {
		return code.Sentence()
	}
	return reason
}

// clock returns a time in UTC, with the day unless that is today, and with seconds if it is less than two
// minutes away.
func clock(at, now time.Time) string {
	const day = "2 Jan "
	minute := "15:04 UTC"
	if d := at.Sub(now); d > 0 && d < 2*time.Minute {
		minute = "15:04:05 UTC"
	}
	at = at.UTC()
	if at.Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
		return at.Format(minute)
	}
	return at.Format(day + minute)
}

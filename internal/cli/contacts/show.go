package contacts

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/setting"
)

func showCommand(e *command.Env, flags *command.AdminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "show EMAIL", Short: "Show everything that hubgate holds about a person",
		Args:    command.OneArgument("an e-mail address"),
		Example: command.Example("hubgate contacts show alice@example.com"),
		Long: `Shows everything that hubgate holds about a person, with all values: queue entries, dead letters, the record
between logins, the last login, sessions, bound browsers, and what HubSpot said for rules that ask for it.
"--output json" is an export for the person.`,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := checkEmail(args[0]); err != nil {
				return err
			}
			var p admin.PersonJSON
			if err := flags.Get(e, "/api/contacts/person?"+url.Values{"email": {args[0]}}.Encode(), &p); err != nil {
				return err
			}
			if e.Output == "json" {
				return e.PrintJSON(p)
			}
			printPerson(e.Stdout, p)
			return nil
		},
	}
}

// printPerson prints the numbers, and each item with its values below.
func printPerson(w io.Writer, p admin.PersonJSON) {
	forgotten := "no"
	if p.Forgotten {
		forgotten = "yes, logins do not create the contact (hubgate contacts forget --allow takes that back)"
	}
	command.Fprintf(w, "%s\nforgotten: %s\n", p.Email, forgotten)
	command.Fprintln(w, setting.Count(len(p.Sessions), "session"))
	for _, s := range p.Sessions {
		command.Fprintf(w, "  %s  user %s, host %s, from %s, since %s, until %s\n", s.ID, s.User, s.Host, s.Address,
			command.ShortTime(&s.CreatedAt), command.ShortTime(&s.ExpiresAt))
	}
	command.Fprintln(w, setting.Count(len(p.Queue), "queued login"))
	for _, q := range p.Queue {
		command.Fprintf(w, "  %s  %s since %s, %s, last error: %s\n", q.ID, q.State, command.ShortTime(&q.QueuedAt),
			setting.Count(q.Attempts, "attempt"), orDash(q.LastError))
		printLogin(w, q.Login)
	}
	command.Fprintln(w, setting.Count(len(p.Dead), "dead letter"))
	for _, d := range p.Dead {
		command.Fprintf(w, "  %s  %s, at %s\n", d.ID, d.Reason, command.ShortTime(&d.LastAt))
		printValues(w, d.Properties)
	}
	command.Fprintln(w, setting.Count(len(p.Records), "record"))
	for _, r := range p.Records {
		command.Fprintf(w, "  HubSpot contact %s, %s, last result: %s at %s, kept until %s\n", orDash(r.ContactID),
			setting.Count(int(r.Logins), "login"), orDash(r.Result), command.ShortTime(&r.At), command.ShortTime(&r.ExpiresAt))
	}
	command.Fprintln(w, setting.Count(len(p.LastLogins), "last login"))
	for _, l := range p.LastLogins {
		command.Fprintf(w, "  kept until %s\n", command.ShortTime(&l.SessionEnds))
		printLogin(w, l)
	}
	command.Fprintln(w, setting.Count(len(p.Browsers), "bound browser"))
	for _, b := range p.Browsers {
		command.Fprintf(w, "  form submitted: %t, kept until %s\n", b.Submitted, command.ShortTime(&b.ExpiresAt))
	}
	printAnswers(w, p.Access, p.Lists)
	printUnreadable(w, p.Unreadable)
}

// printAnswers prints what HubSpot said for rules that ask for it. names are the lists by the names that rules use.
func printAnswers(w io.Writer, answers []access.Known, names map[string]access.ListID) {
	shown := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		id := string(names[name])
		shown[id] = name + " (" + id + ")"
	}
	command.Fprintln(w, setting.Count(len(answers), "answer")+" of HubSpot for rules")
	for _, a := range answers {
		contact := "one contact has the address"
		if !a.Contact {
			contact = "no contact has the address"
		}
		command.Fprintf(w, "  %s, read at %s\n", contact, command.ShortTime(&a.ReadAt))
		values := map[string]string{}
		for id, member := range a.Lists {
			key := "list " + cmp.Or(shown[id], id)
			values[key] = "not a member"
			if member {
				values[key] = "member"
			}
		}
		for name, list := range a.Properties {
			values["property "+name] = orDash(strings.Join(list, ";"))
		}
		printValues(w, values)
	}
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// printLogin prints the fields of a login that are set, by their names in JSON.
func printLogin(w io.Writer, l outbox.Login) {
	var fields map[string]any
	text, err := json.Marshal(l)
	if err == nil {
		numbers := json.NewDecoder(bytes.NewReader(text))
		numbers.UseNumber() // a float would be printed with an exponent
		err = numbers.Decode(&fields)
	}
	if err != nil {
		command.Fprintf(w, "    cannot be shown: %v\n", err)
		return
	}
	if l.At.IsZero() { // a person of a file
		delete(fields, "at")
	}
	if claims, ok := fields["claims"].(map[string]any); ok {
		delete(fields, "claims")
		for name, value := range claims {
			fields["claim "+name] = value
		}
	}
	printValues(w, fields)
}

func printValues[V any](w io.Writer, values map[string]V) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		command.Fprintf(w, "    %s: %s\n", name, fmt.Sprint(values[name]))
	}
}

package contacts

import (
	"io"

	"github.com/hubgate/hubgate/internal/command"
)

// printUnreadable prints how many queued logins and dead letters cannot be decrypted, and what to do.
func printUnreadable(w io.Writer, n int) {
	if n == 0 {
		return
	}
	command.Fprintf(w, `not searched: %d queued logins and dead letters of unknown people, which cannot be decrypted.
Add their key to session.keys again and repeat this command; or drop the dead letters (hubgate contacts dead --drop).
`, n)
}

package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/seal"
)

func keygenCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "keygen", Short: "Make a key for session.keys", Args: noArguments,
		Long: "Makes a key of 32 random bytes in base64. The first key of session.keys seals, all of them open.",
		RunE: func(*cobra.Command, []string) error {
			key := seal.NewKey()
			if e.output == "json" {
				return e.printJSON(map[string]string{"key": key})
			}
			fmt.Fprintln(e.stdout, key)
			fmt.Fprint(e.stderr, `
Keep it secret: put it into the environment or a file, and name it in session.keys.
To replace a key without logging anybody out:
  1. append the new key to session.keys on every replica;
  2. when all have it, move it to the front;
  3. after session.lifetime has passed, and when "hubgate contacts status" shows an empty queue and no dead letters,
     remove the old one.
`)
			return nil
		},
	}
}

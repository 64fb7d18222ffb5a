package cli

import (
	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/seal"
)

func keygenCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "keygen", Short: "Generate a key for session.keys", Args: noArguments,
		Example: example("hubgate keygen > session_key"),
		Long:    "Generates a key of 32 random bytes in base64. The first key of session.keys encrypts; all of them decrypt.",
		RunE: func(*cobra.Command, []string) error {
			key := seal.NewKey()
			if e.output == "json" {
				return e.printJSON(map[string]string{"key": key})
			}
			fprintln(e.stdout, key)
			fprintf(e.stderr, `
Keep it secret: store it in an environment variable or a file, and refer to it in session.keys.
To replace a key without logging anyone out:
  1. append the new key to session.keys on every replica;
  2. when all replicas have it, move it to the front;
  3. after session.lifetime has passed, and when "hubgate contacts status" shows an empty queue and no dead letters,
     remove the old one.
`)
			return nil
		},
	}
}

package cli

import (
	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/seal"
)

func keygenCommand(e *command.Env) *cobra.Command {
	return &cobra.Command{
		Use: "keygen", Short: "Generate a key for session.keys", Args: command.NoArguments,
		Example: command.Example("hubgate keygen > session_key"),
		Long:    "Generates a key of 32 random bytes in base64. The first key of session.keys encrypts; all of them decrypt.",
		RunE: func(*cobra.Command, []string) error {
			key := seal.NewKey()
			if e.Output == "json" {
				return e.PrintJSON(map[string]string{"key": key})
			}
			command.Fprintln(e.Stdout, key)
			command.Fprintf(e.Stderr, `
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

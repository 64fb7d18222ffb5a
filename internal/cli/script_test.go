package cli

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hubgate/hubgate/internal/configtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"hubgate": func() { os.Exit(Run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr)) },
	})
}

// The scripts are also examples: what an operator types, and what hubgate prints.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HUBGATE_SESSION_KEY", configtest.FixtureEnvironment("KEY"))
			e.Setenv("HUBGATE_CLIENT_SECRET", configtest.FixtureEnvironment("SECRET"))
			return nil
		},
	})
}

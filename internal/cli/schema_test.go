package cli

import (
	"testing"

	"github.com/hubgate/hubgate/internal/configtest"
)

func TestSchemaPrintsTheCommittedFile(t *testing.T) {
	t.Parallel()
	status, stdout, stderr := hubgate(t, "schema")
	if want := configtest.Read(t, "config.schema.json"); status != 0 || stderr != "" || stdout != want {
		t.Errorf("status %d, %s: the output differs from config.schema.json", status, stderr)
	}
}

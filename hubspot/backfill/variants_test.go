package backfill

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReaderReadsVariantsOfItsFormats(t *testing.T) {
	t.Parallel()
	const user = `{"Attributes": [{"Name": "email", "Value": "ada@example.com"}, ` +
		`{"Name": "email_verified", "Value": true}]}`
	for text, line := range map[string]int{
		"email\temail_verified\nada@example.com\ttrue\n":            2,
		"sep=;\r\nemail;email_verified\r\nada@example.com;true\r\n": 3,
		"SEP=\t\nemail\temail_verified\nada@example.com\ttrue\n":    3,
		"sep=,\nemail,email_verified\nada@example.com,true\n":       3,
		"[" + user + "]":       1,
		"[\n" + user + "\n]\n": 2,
	} {
		got, faults, err := readAll(strings.NewReader(text), false)
		want := []Row{person(1, line, "email", "ada@example.com", "email_verified", "true")}
		if d := cmp.Diff(want, got); d != "" || len(faults) > 0 || err != nil {
			t.Errorf("%q: %v %v %s", text, faults, err, d)
		}
	}
}

func TestReaderNamesTheFaultsOfABareList(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"[", "[] {}", `[{"Username":"a"}`} {
		if _, _, err := readAll(strings.NewReader(text), false); err == nil || !strings.Contains(err.Error(), outputCure) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if rows, faults, err := readAll(strings.NewReader(`[["ada@example.com"]]`), true); len(rows) > 0 ||
		!cmp.Equal(faults, []string{"1: not a user of Cognito"}) || err != nil {
		t.Error(rows, faults, err)
	}
}

func TestReaderShowsAWordThatIsNeitherTrueNorFalse(t *testing.T) {
	t.Parallel()
	const odd = ", which is neither true nor false"
	for value, want := range map[string]string{
		"WAHR": ` "WAHR"` + odd, "yes": ` "yes"` + odd, "vérifié": ` "vérifié"` + odd,
		"FALSE": " not true", "": " not true", "ada@example.com": " not true", strings.Repeat("x", 40): " not true",
	} {
		text := fmt.Sprintf("email,email_verified\nada@example.com,%s\n", value)
		_, faults, err := readAll(strings.NewReader(text), false)
		if !cmp.Equal(faults, []string{"2: email_verified is" + want}) || err != nil {
			t.Errorf("%s: %q %v", value, faults, err)
		}
	}
}

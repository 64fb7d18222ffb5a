package outbox

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestEveryKeyIsInThePrivacyDocument(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/privacy.md")
	if err != nil {
		t.Fatal(err)
	}
	all := reflect.ValueOf(newKeys("prefix:"))
	for i := range all.NumField() {
		name := strings.TrimPrefix(all.Field(i).String(), "prefix:{crm}:")
		if !strings.Contains(string(doc), "`"+name+"`") && !strings.Contains(string(doc), "`"+name+"MAC`") {
			t.Errorf("docs/privacy.md does not say what the key %s holds", name)
		}
	}
}

package mapping

import (
	"encoding/json"
	"testing"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// TestPreviewTellsWhatAnImportDoes checks that values that are emptied, written in part and left out differ.
func TestPreviewTellsWhatAnImportDoes(t *testing.T) {
	t.Parallel()
	var known crm.Schema
	if err := json.Unmarshal([]byte(`{
		"several": {"type": "enumeration", "fieldType": "checkbox", "options": [{"value": "CHAMPION"}, {"value": "BLOCKER"}]},
		"one": {"type": "enumeration", "fieldType": "select", "options": [{"value": "CHAMPION"}, {"value": "BLOCKER"}]},
		"number": {"type": "number", "fieldType": "number"}}`), &known); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ property, claim, effect string }{
		{"several", "CHAMPION;BLOCKER", "written"}, {"several", "CHAMPION;Nope", "partly_written"},
		{"several", "Nope", "emptied"}, {"one", "Nope", "left_out"}, {"one", "BLOCKER", "written"},
		{"number", "many", "left_out"}, {"number", "7", "written"},
	} {
		p := ImportPreview{mapping: New(Config{Properties: map[string]Property{c.property: {Claim: "c"}}}), known: known}
		list, skipped := p.Person(map[string]string{"email": "ada@example.com", "email_verified": "true", "c": c.claim}, true)
		if len(list) != 1 || list[0].Effect != c.effect || (list[0].Rejected == "") != (c.effect == "written") {
			t.Errorf("%s: %s: %+v %v", c.property, c.claim, list, skipped)
		}
	}
}

package rules

import (
	"reflect"
	"slices"
	"testing"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// A field without an element in the table would be accepted in the file and have no effect.
func TestKeysAreTheFieldsOfRuleConfig(t *testing.T) {
	t.Parallel()
	var keys, fields []string
	for _, k := range Keys() {
		keys = append(keys, k.Name)
	}
	for i := range reflect.TypeFor[RuleConfig]().NumField() {
		if key := reflect.TypeFor[RuleConfig]().Field(i).Tag.Get("yaml"); key != "-" {
			fields = append(fields, key)
		}
	}
	slices.Sort(keys)
	slices.Sort(fields)
	if !slices.Equal(keys, fields) {
		t.Errorf("keys %q, fields %q", keys, fields)
	}
}

func TestReasonTextOfEveryReason(t *testing.T) {
	t.Parallel()
	reasons := append(urlpath.Reasons(), ReasonPublic, ReasonAdmitted, ReasonNoSession, ReasonAuthAge, ReasonStillOld,
		ReasonGroups, ReasonClaims, ReasonLists, ReasonProperties, ReasonUnverified, ReasonUnknown, ReasonMethod,
		ReasonUnknownVerb, ReasonHubSpot, ReasonGateway)
	texts := map[string]string{}
	for _, reason := range reasons {
		text := ReasonText(reason)
		if other, taken := texts[text]; taken {
			t.Errorf("%s and %s are both %q", reason, other, text)
		}
		texts[text] = reason
	}
}

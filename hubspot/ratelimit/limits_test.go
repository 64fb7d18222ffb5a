package ratelimit

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
)

func TestSpareLeavesFifthAndAtLeastOneCall(t *testing.T) {
	t.Parallel()
	l := New(Deps{})
	for requests, want := range map[int]int{1: 1, 2: 1, 3: 2, 5: 4, 9: 7, 90: 72, 250: 200} {
		l.Set(setting.Rate{Requests: requests, Per: setting.Duration(10 * time.Second)})
		l.Reserve(false)
		if l.Spare.others() != want || l.Sync.others() != requests {
			t.Errorf("%d: spare %d, sync %d", requests, l.Spare.others(), l.Sync.others())
		}
		if l.Reserve(true); l.Sync.others() != want {
			t.Errorf("%d: with the reserve, sync %d", requests, l.Sync.others())
		}
	}
}

func TestEveryKeyIsInThePrivacyDocument(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/privacy.md")
	if err != nil {
		t.Fatal(err)
	}
	all := reflect.ValueOf(newKeys("prefix:"))
	for i := range all.NumField() {
		name := strings.TrimPrefix(all.Field(i).String(), "prefix:{crm}:")
		if !strings.Contains(string(doc), "`"+name+"`") {
			t.Errorf("docs/privacy.md does not say what the key %s holds", name)
		}
	}
}

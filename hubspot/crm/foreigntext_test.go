package crm

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

func TestPageHasNoControlCharacters(t *testing.T) {
	t.Parallel()
	for _, evil := range []string{"\x1b[2J", "\u202e", "\a\n"} {
		w := wirePage{
			ID: "1" + evil, Name: evil, URL: "https://x/" + evil, Domain: "x" + evil, Language: evil, State: evil,
			TranslationOf: evil,
		}
		p := w.page("site")
		if text := fmt.Sprintf("%v", p); strings.ContainsAny(text, "\x1b\a\n\u202e") {
			t.Errorf("%q", text)
		}
	}
}

func TestErrorHasNoControlCharacters(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"context":{"requiredGranularScopes":["a\u001b[31m"]}}`, `{"policyName":"x\u001b[31m"}`,
		`{"category":"x\u001b[31m"}`, `{"message":"x\u001b[31m"}`,
	} {
		if text := errorText(http.StatusForbidden, body); strings.Contains(text, "\x1b") {
			t.Errorf("%s: %q", body, text)
		}
	}
}

func TestReasonNamesFewOptions(t *testing.T) {
	t.Parallel()
	p := Property{Type: "enumeration", FieldType: "select"}
	for i := range 5000 {
		p.Options = append(p.Options, struct {
			Label string `json:"label"`
			Value string `json:"value"`
		}{Value: fmt.Sprintf("\x1b[31m%d%s", i, strings.Repeat("x", 100))})
	}
	for _, value := range []string{"wood", strings.Repeat("y", 65536), "\x1b[31m\u202e"} {
		_, drop := Schema{"tier": p}.Convert("tier", Text(value), false)
		if text := drop.Text(); len(text) > 1000 || strings.ContainsAny(text, "\x1b\u202e") ||
			!strings.HasSuffix(text, "and 4,990 more)") {
			t.Errorf("%d bytes: %.300q", len(text), text)
		}
	}
	for kind, value := range map[string]string{"number": "x", "bool": "y", "date": "z"} {
		property := Property{Type: kind}
		_, drop := Schema{"p": property}.Convert("p", Text(strings.Repeat(value, 65536)), false)
		if len(drop.Text()) > 200 {
			t.Errorf("%s: %d bytes", kind, len(drop.Text()))
		}
	}
}

func TestListWithCircularCursorsEnds(t *testing.T) {
	t.Parallel()
	for about, next := range map[string]map[string]string{
		"one": {"": "a", "a": "a"}, "two": {"": "a", "a": "b", "b": "a"}, "three": {"": "a", "a": "b", "b": "c", "c": "a"},
	} {
		calls := 0
		a := newAccount(t, fakehubspot.Config{Wrap: func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if calls++; calls > 50 {
					next = nil
				}
				fmt.Fprintf(w, `{"results":[{"id":"1","slug":"x"}],"paging":{"next":{"after":%q}}}`,
					next[r.URL.Query().Get("after")])
			})
		}})
		found, err := a.Content(t.Context(), func(int, int) {})
		if calls > 4*len(next) || err != nil || len(found.Unread) != 4 {
			t.Errorf("%s: %d calls, %v %+v", about, calls, err, found.Unread)
		}
	}
}

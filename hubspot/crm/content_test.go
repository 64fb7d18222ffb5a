package crm

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

func TestPagesReadsEveryPageOfEveryKind(t *testing.T) {
	t.Parallel()
	site := make([]fakehubspot.Page, 250) // three calls
	for i := range site {
		site[i] = fakehubspot.Page{ID: fmt.Sprint(i), Slug: fmt.Sprintf("p%03d", i), Kind: "site"}
	}
	a := newAccount(t, fakehubspot.Config{Pages: append(site,
		fakehubspot.Page{ID: "l", Slug: "landing", Kind: "landing", Password: "x", AccessRulesActive: true},
		fakehubspot.Page{ID: "p", Slug: "blog/post", Kind: "post", CurrentState: "PUBLISHED_OR_SCHEDULED", TableID: "7"},
	)})
	list, err := a.Pages(t.Context(), func(int) {})
	if err != nil || len(list) != len(site)+2 {
		t.Fatal(len(list), err)
	}
	want := []Page{
		{ID: "p", Kind: "post", Slug: "blog/post", State: "PUBLISHED_OR_SCHEDULED", Published: true, Dynamic: true},
		{ID: "l", Kind: "landing", Slug: "landing", Password: true, Restricted: true},
		{ID: "0", Kind: "site", Slug: "p000"},
	}
	if d := cmp.Diff(want, list[:3]); d != "" {
		t.Error(d)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	a := newAccount(t, fakehubspot.Config{
		Redirects: []fakehubspot.Redirect{{ID: "1", From: "/old", To: "/members/new", Style: 301}},
	})
	list, err := a.Redirects(t.Context())
	if d := cmp.Diff([]Redirect{{ID: "1", From: "/old", To: "/members/new", Style: 301}}, list); d != "" || err != nil {
		t.Error(err, d)
	}
}

package auth

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestLoginOfTooLargeAccountShowsCause(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var groups []string
	for i := range 3000 {
		groups = append(groups, fmt.Sprint("a-group-with-a-rather-long-name-", i))
	}
	w.cognito.SetGroups("alice@example.com", groups...)
	got := w.login(w.browser(), "/members/")
	if got.StatusCode != http.StatusInternalServerError || !strings.Contains(got.body, "more groups and details") {
		t.Errorf("%d %s", got.StatusCode, got.body)
	}
	w.cognito.SetGroups("alice@example.com", "members")
	if got := w.login(w.browser(), "/members/"); got.StatusCode != http.StatusOK {
		t.Errorf("with fewer groups: %d", got.StatusCode)
	}
}

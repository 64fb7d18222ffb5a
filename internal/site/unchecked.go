package site

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/setting"
)

// unchecked is a part of a survey that failed. Whether it has leaks is unknown.
type unchecked struct {
	Part   string   `json:"part"` // a list of HubSpot, or origin
	Reason string   `json:"reason"`
	Scopes []string `json:"scopes,omitempty"` // that the key lacks
	Cure   string   `json:"cure"`
	Pages  []string `json:"pages,omitempty"` // of the part, if it is not the whole
}

// uncheckedLists returns the lists of HubSpot that were not read, or not to their end.
func uncheckedLists(unread []crm.Unread) []unchecked {
	all := []unchecked{}
	for _, u := range unread {
		c := unchecked{Part: u.List, Reason: reasonOf(u), Cure: "run the command again"}
		switch status, scopes := crm.Refused(u.Err); {
		case status == http.StatusForbidden:
			c.Scopes, c.Cure = missingScopes(scopes)
		case status == http.StatusUnauthorized:
			c.Cure = "put a new key into hubspot.access_token"
		case status == 0:
			c.Cure += "; if it fails again, check these " + u.List + " by hand"
		}
		all = append(all, c)
	}
	return all
}

func reasonOf(u crm.Unread) string {
	reason := strings.TrimPrefix(u.Err.Error(), "hubspot: list "+u.List+": ")
	if u.Read > 0 {
		reason = fmt.Sprintf("only %s of %s were read: %s", setting.Number(u.Read), setting.Number(u.Total), reason)
	}
	return reason
}

// missingScopes returns the scopes that HubSpot named in a refusal, or the one that covers all lists, and the cure.
func missingScopes(named []string) (scopes []string, cure string) {
	if len(named) == 0 {
		named = []string{"content"}
	}
	noun := "scope"
	if len(named) > 1 {
		noun = "scopes"
	}
	return named, fmt.Sprintf("add the %s %s to the key (HubSpot: Development, Keys, Service keys)", noun,
		strings.Join(named, ", "))
}

// uncheckedPages groups pages for which the origin gave no usable answer by the reason.
func uncheckedPages(reasons map[string][]string) []unchecked {
	all := []unchecked{}
	for reason, pages := range reasons {
		all = append(all, unchecked{
			Part: "origin", Reason: reason, Pages: pages, Cure: "check proxy.origin, and run the command again",
		})
	}
	slices.SortFunc(all, func(a, b unchecked) int { return strings.Compare(a.Reason, b.Reason) })
	return all
}

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

// uncheckedLists returns the lists of HubSpot of which not all was read.
func uncheckedLists(unread []crm.Unread) []unchecked {
	all := []unchecked{}
	for _, u := range unread {
		scopes, cure := cureOf(u.Err, contentScope)
		all = append(all, unchecked{Part: u.List, Reason: reasonOf(u), Scopes: scopes, Cure: cure})
	}
	return all
}

// contentScope covers all lists of pages.
const contentScope = "content"

// withCure adds to an error of HubSpot's API what to do. scope is what the call needs.
func withCure(err error, scope string) error {
	if status, _ := crm.Refused(err); status == 0 {
		return err
	}
	_, cure := cureOf(err, scope)
	return fmt.Errorf("%w; %s", err, cure)
}

// cureOf returns what to do about an error of HubSpot's API, and the scopes that the key lacks: those that HubSpot
// names, or the one that the call needs.
func cureOf(err error, scope string) (scopes []string, cure string) {
	switch status, named := crm.Refused(err); status {
	case http.StatusForbidden:
		return missingScopes(named, scope)
	case http.StatusUnauthorized:
		return nil, "put a new key into hubspot.access_token"
	case http.StatusTooManyRequests:
		return nil, "run the command again when the limit allows it"
	}
	return nil, "check hubspot.api_url, and run the command again"
}

func reasonOf(u crm.Unread) string {
	reason := strings.TrimPrefix(u.Err.Error(), "hubspot: list "+u.List+": ")
	if u.Read > 0 {
		reason = fmt.Sprintf("only %s of %s were read: %s", setting.Number(u.Read), setting.Number(u.Total), reason)
	}
	return reason
}

// missingScopes returns the scopes that HubSpot named in a refusal, or the one that the call needs, and the cure.
func missingScopes(named []string, scope string) (scopes []string, cure string) {
	if len(named) == 0 {
		named = []string{scope}
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

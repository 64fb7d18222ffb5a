package session

import (
	"slices"
	"strings"
	"time"
)

// CRM is what HubSpot said about the person of a session, for rules that ask for it. It stands beside the claims, never
// among them: no claim of a provider can take its place, and refreshing the tokens does not change it.
type CRM struct {
	// Contact reports whether HubSpot has exactly one contact with the person's address.
	Contact bool
	// Lists says for each list by its id whether the contact is in it. A list that HubSpot was not asked about is missing.
	Lists map[string]bool
	// Properties are the values of the contact's properties. One that HubSpot was not asked for is missing, one without
	// a value has none.
	Properties map[string][]string
	// ReadAt is when HubSpot was asked. From UsableUntil on, all of it is unknown.
	ReadAt, UsableUntil time.Time
}

// CRMClaimPrefix begins the names of claims of a rule that are properties of the contact in HubSpot. They are never
// read from the provider's claims, which a user might set.
const CRMClaimPrefix = "hubspot."

// PropertyValues returns the values of a property of a contact. HubSpot joins several with semicolons.
func PropertyValues(text string) []string {
	return slices.DeleteFunc(strings.Split(text, ";"), func(value string) bool { return value == "" })
}

// IsCRMClaim reports whether a claim has a name under which rules read what HubSpot said: hubspot or hubspot.NAME, in
// any case. Claims of a provider cannot have such a name.
func IsCRMClaim(name string) bool {
	first, _, _ := strings.Cut(name, ".")
	return strings.EqualFold(first, "hubspot")
}

package mapping

import (
	"maps"
	"slices"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// Item is what would be written into one property.
type Item struct {
	Property string `json:"property"`
	Value    string `json:"value"`
	Source   string `json:"source"`            // claim NAME, value NAME or constant
	Write    string `json:"write"`             // always | if_empty | create_only
	Dropped  string `json:"dropped,omitempty"` // why nothing, or not everything, would be written
	// Why is Dropped as a word: a crm.Reason, a reason to skip the person, or one of Absences.
	Why string `json:"-"`
	// Drop is the part that would not be written. Without a Reason nothing was rejected: there is nothing to write.
	Drop crm.Drop `json:"-"`
}

// Written reports whether there is something to write, even if it is not the whole value.
func (item Item) Written() bool { return item.Drop == (crm.Drop{}) || item.Drop.Partial }

// nothing says why there is nothing to write. This is not a rejection, so it has no Reason.
func nothing(why string) *crm.Drop { return &crm.Drop{Detail: why} }

// Why there is nothing to write, in words.
const (
	emptyText    = "empty"
	noClaim      = "the login does not have this claim"
	emptyClaim   = "the claim is empty"
	noLogin      = "unknown without a login"
	countedLater = "counted when a login is sent"
	noSource     = "no source"
)

// absences returns the words of why there is nothing to write, by their text.
func absences() map[string]string {
	return map[string]string{
		emptyText: "empty", noClaim: "no_claim", emptyClaim: "empty_claim", noLogin: "no_login",
		countedLater: "counted_later", noSource: "no_source",
	}
}

// Absences returns the words of Item.Why that are neither a crm.Reason nor a reason to skip the person.
func Absences() []string { return slices.Sorted(maps.Values(absences())) }

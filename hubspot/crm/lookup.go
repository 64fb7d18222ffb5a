package crm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
)

// LookupResult is what HubSpot knows about an e-mail address: one contact, none, or several.
type LookupResult struct {
	Contact   Contact // its ID is "" unless exactly one contact has the address
	NotFound  bool    // HubSpot says that no contact has the address
	Ambiguous bool    // several contacts have the address
}

// Lookup reads properties of the contacts that have these e-mail addresses, in one call. The results are by EmailKey.
// An address without a result is unknown: nothing follows from its absence. What decides access must not come from a
// contact that HubSpot merely returned, so a contact counts only for addresses that are its own.
func (c *Client) Lookup(ctx context.Context, emails, properties []string) (map[string]LookupResult, error) {
	found := map[string]LookupResult{}
	asked := make(map[string]bool, len(emails))
	var keys []string
	for _, email := range emails {
		switch key := EmailKey(email); {
		case !ValidEmail(key): // no contact can have it, and HubSpot would reject the whole call
			found[key] = LookupResult{NotFound: true}
		case !asked[key]:
			asked[key] = true
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return found, nil
	}
	k := c.readCall("email", keys, properties)
	body, err := c.do(ctx, k)
	if err != nil {
		return nil, fmt.Errorf("look up contacts: %w", err)
	}
	known, err := parseLookup(body, asked, k.sent)
	if err != nil {
		return nil, fmt.Errorf("look up contacts: %w", err)
	}
	maps.Copy(found, known)
	return found, nil
}

// ProbeAddress is an address that belongs to no visitor (RFC 2606).
const ProbeAddress = "hubgate-probe@example.com"

// ProbeRead looks up an address that hubgate chose: the answer shows whether HubSpot processes such calls, whatever
// addresses visitors have.
func (c *Client) ProbeRead(ctx context.Context) error {
	k := c.readCall("email", []string{ProbeAddress}, nil)
	k.timeout = probeTimeout
	body, err := c.do(ctx, k)
	if err == nil {
		_, err = parseLookup(body, map[string]bool{ProbeAddress: true}, k.sent)
	}
	var e *APIError
	if errors.As(err, &e) && e.Status == http.StatusBadRequest && e.fromHubSpot {
		return nil // a rejection of the address is an answer
	}
	return err
}

// parseLookup returns the results of the addresses that an answer decides. The error means that it decides none.
func parseLookup(body []byte, asked map[string]bool, sent redactor) (map[string]LookupResult, error) {
	var w batchAnswer[wireContact]
	if err := w.decode(body); err != nil {
		return nil, sent.hide(err)
	}
	found, unclear := contactsOf(w.Results, asked)
	named, all := w.missing("ids", "id", "email")
	for key := range asked {
		_, exists := found[key]
		if missing := named[key]; missing && exists {
			unclear[key] = true
		} else if !exists && (missing || all) {
			found[key] = LookupResult{NotFound: true}
		}
	}
	for key := range unclear {
		delete(found, key)
	}
	if failed := w.failure(sent); len(found) == 0 && failed != nil {
		return nil, failed
	}
	return found, nil
}

// contactsOf returns the contacts that have the addresses, and the addresses about which the results contradict each
// other or are not usable.
func contactsOf(results []wireContact, asked map[string]bool) (found map[string]LookupResult, unclear map[string]bool) {
	found, unclear = map[string]LookupResult{}, map[string]bool{}
	for _, result := range results {
		c := result.contact()
		for _, key := range c.emails() {
			before, twice := found[key]
			switch {
			case !asked[key]:
			case !isRecordID(c.ID) || result.Archived:
				unclear[key] = true
			case twice && before.Contact.ID != c.ID:
				found[key] = LookupResult{Ambiguous: true}
			case twice && !maps.Equal(before.Contact.properties, c.properties):
				unclear[key] = true
			default:
				found[key] = LookupResult{Contact: c}
			}
		}
	}
	return found, unclear
}

// recordID matches the ids of records and lists.
var recordID = regexp.MustCompile(`^[0-9]{1,20}$`)

func isRecordID(id string) bool { return recordID.MatchString(id) }

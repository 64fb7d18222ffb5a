package crm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/hubgate/hubgate/internal/dependency"
)

// contactType is HubSpot's object type of contacts.
const contactType = "0-1"

// Memberships returns the ids of the lists that contacts are in, by contact id, in one call. A contact that is in no
// list has an empty list; one that is missing is unknown: nothing follows from its absence.
func (c *Client) Memberships(ctx context.Context, contactIDs []string) (map[string][]string, error) {
	asked := make(map[string]bool, len(contactIDs))
	var inputs []recordInput
	for _, id := range contactIDs {
		if isRecordID(id) && !asked[id] {
			asked[id] = true
			inputs = append(inputs, recordInput{ObjectTypeID: contactType, RecordID: id})
		}
	}
	if len(inputs) == 0 {
		return map[string][]string{}, nil
	}
	body, err := c.do(ctx, c.membershipCall(inputs))
	if err != nil {
		return nil, fmt.Errorf("read list memberships: %w", err)
	}
	found, err := parseMemberships(body, asked)
	if err != nil {
		return nil, fmt.Errorf("read list memberships: %w", err)
	}
	return found, nil
}

// ProbeMemberships reads the memberships of an empty batch: the answer shows whether HubSpot processes such calls,
// whatever contacts exist. Its rejection of the empty batch is an answer.
func (c *Client) ProbeMemberships(ctx context.Context) error {
	k := c.membershipCall([]recordInput{})
	k.timeout = probeTimeout
	body, err := c.do(ctx, k)
	var e *APIError
	if errors.As(err, &e) && e.Status == http.StatusBadRequest && e.fromHubSpot {
		return nil
	}
	if err == nil {
		_, err = parseMemberships(body, nil)
	}
	return err
}

type recordInput struct {
	ObjectTypeID string `json:"objectTypeId"`
	RecordID     string `json:"recordId"`
}

func (c *Client) membershipCall(inputs []recordInput) call {
	return call{
		op: dependency.OpLists, method: http.MethodPost, url: c.lists("/records/memberships/batch/read"),
		body: map[string]any{"inputs": inputs},
	}
}

// lists returns the URL of a call for lists.
func (c *Client) lists(rest string) string {
	return c.api("/crm/lists/" + c.cfg.Load().APIVersion + rest)
}

// wireRecord is a record with the lists that it is in. Lists is nil if the response does not have them.
type wireRecord struct {
	ObjectTypeID string     `json:"objectTypeId"`
	RecordID     flexString `json:"recordId"`
	Lists        []struct {
		ListID flexString `json:"listId"`
	} `json:"recordListMemberships"`
}

// listIDs returns the sorted ids of the lists, without duplicates. ok is false if the response does not have all.
func (w wireRecord) listIDs() (ids []string, ok bool) {
	ids = make([]string, len(w.Lists))
	for i, l := range w.Lists {
		if ids[i] = string(l.ListID); !isRecordID(ids[i]) {
			return nil, false
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), w.Lists != nil
}

// parseMemberships returns the lists of the contacts that an answer decides. The error means that it decides none.
func parseMemberships(body []byte, asked map[string]bool) (map[string][]string, error) {
	var w batchAnswer[wireRecord]
	if err := w.decode(body); err != nil {
		return nil, err
	}
	found := map[string][]string{}
	unclear := namedBy(w.Errors, "ids", "id", "recordId", "recordIds") // whatever an error says about them
	for _, record := range w.Results {
		id := string(record.RecordID)
		if !asked[id] || record.ObjectTypeID != contactType {
			continue
		}
		ids, ok := record.listIDs()
		if before, twice := found[id]; !ok || twice && !slices.Equal(before, ids) {
			unclear[id] = true
		}
		found[id] = ids
	}
	for id := range unclear {
		delete(found, id)
	}
	if failed := w.failure(nil); len(found) == 0 && failed != nil {
		return nil, failed
	}
	return found, nil
}

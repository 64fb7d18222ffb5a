package fakehubspot

import (
	"fmt"
	"net/http"
	"slices"
)

// readList responds with a list, also if it is deleted, and with its filters if the call requests them.
func (s *Server) readList(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.PathValue("list")
	l := s.lists.byID[id]
	if l == nil {
		writeError(w, http.StatusNotFound,
			problem{Message: "List does not exist with ID " + truncate(id) + ".", Category: "OBJECT_NOT_FOUND"})
		return
	}
	const created = "2026-01-15T08:00:00.000Z"
	body := map[string]any{
		"listId": l.ID, "listVersion": 1, "name": l.Name, "objectTypeId": l.ObjectTypeID, "processingStatus": "COMPLETE",
		"processingType": "MANUAL", "createdAt": created, "updatedAt": created, "filtersUpdatedAt": created,
		"createdById": "1", "updatedById": "1",
		"listPermissions":    map[string]any{"teamsWithEditAccess": []int{}, "usersWithEditAccess": []int{}},
		"membershipSettings": map[string]any{"includeUnassigned": true},
	}
	if l.Filter != nil {
		body["processingType"] = "DYNAMIC"
	}
	if l.Filter != nil && r.URL.Query().Get("includeFilters") == "true" {
		body["filterBranch"] = l.Filter.render()
	}
	if l.Deleted {
		body["deletedAt"] = created
	}
	writeJSON(w, http.StatusOK, map[string]any{"list": body})
}

type mapping struct {
	Legacy string `json:"legacyListId"`
	ID     string `json:"listId"`
}

// mappings returns the lists of legacy ids, and the ids without a list.
func (s *Server) mappings(legacy []string) (found []mapping, missing []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, missing = []mapping{}, []string{}
	for _, id := range legacy {
		before := len(found)
		for _, l := range s.lists.byID {
			if l.LegacyID == id && id != "" {
				found = append(found, mapping{id, l.ID})
			}
		}
		if len(found) == before {
			missing = append(missing, id)
		}
	}
	return found, missing
}

func (s *Server) readMappings(w http.ResponseWriter, r *http.Request) {
	var legacy []string
	if !decode(w, r, &legacy) {
		return
	}
	if len(legacy) == 0 {
		writeError(w, http.StatusBadRequest, missingMember("a list of ids"))
		return
	}
	found, missing := s.mappings(legacy)
	writeJSON(w, http.StatusOK, map[string]any{
		"legacyListIdsToIdsMapping": found, "missingLegacyListIds": missing,
	})
}

type recordMemberships struct {
	ObjectTypeID string       `json:"objectTypeId"`
	RecordID     string       `json:"recordId"`
	Memberships  []membership `json:"recordListMemberships"`
}

type membership struct {
	ListID     string `json:"listId"`
	Version    int    `json:"listVersion"`
	Public     bool   `json:"isPublicList"`
	FirstAdded string `json:"firstAddedTimestamp"`
	LastAdded  string `json:"lastAddedTimestamp"`
}

// readMemberships responds with the lists of records, in another order than asked.
func (s *Server) readMemberships(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Inputs []struct {
			ObjectTypeID string `json:"objectTypeId"`
			RecordID     string `json:"recordId"`
		} `json:"inputs"`
	}
	if !decode(w, r, &body) {
		return
	}
	if len(body.Inputs) == 0 || len(body.Inputs) > maxBatch {
		writeError(w, http.StatusBadRequest, missingMember(fmt.Sprintf("1 to %d inputs", maxBatch)))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := newBatchResponse[recordMemberships](s.cfg.Now())
	var missing []string
	for _, in := range body.Inputs {
		if in.ObjectTypeID == "" || in.RecordID == "" {
			writeError(w, http.StatusBadRequest, missingMember("objectTypeId and recordId of each input"))
			return
		}
		c := s.contacts.byID[in.RecordID]
		if c == nil || in.ObjectTypeID != contactType {
			missing = append(missing, in.RecordID)
			continue
		}
		out.Results = append(out.Results, s.membershipsOf(c))
	}
	slices.Reverse(out.Results)
	out.missing("CONTACT", missing)
	annotate(w, fmt.Sprintf("%d found, %d missing", len(out.Results), len(missing)))
	s.writeBatch(w, out.NumErrors, out)
}

func (s *Server) membershipsOf(c *Contact) recordMemberships {
	found := recordMemberships{ObjectTypeID: contactType, RecordID: c.ID, Memberships: []membership{}}
	for _, id := range s.listsOf(c) {
		first, last := s.joined(id, c)
		found.Memberships = append(found.Memberships, membership{ListID: id, Version: 1,
			FirstAdded: first.UTC().Format(timeLayout), LastAdded: last.UTC().Format(timeLayout)})
	}
	return found
}

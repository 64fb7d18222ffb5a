package fakehubspot

import (
	"fmt"
	"net/http"
	"slices"
)

// batchRead responds with the contacts in another order than asked, each once, and with one error that names all ids
// and addresses without a contact.
func (s *Server) batchRead(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Inputs []struct {
			ID string `json:"id"`
		} `json:"inputs"`
		IDProperty  string   `json:"idProperty"`
		Properties  []string `json:"properties"`
		WithHistory []string `json:"propertiesWithHistory"`
	}
	if !decode(w, r, &body) {
		return
	}
	if body.Properties == nil || body.WithHistory == nil || len(body.Inputs) == 0 || len(body.Inputs) > maxBatch {
		writeError(w, http.StatusBadRequest,
			missingMember(fmt.Sprintf("1 to %d inputs, properties and propertiesWithHistory", maxBatch)))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := newBatchResponse[object](s.cfg.Now())
	var missing []string
	contacts, listed := s.shown(), map[string]bool{}
	for _, in := range body.Inputs {
		c := contacts.get(in.ID)
		if body.IDProperty != "" {
			c = contacts.find(body.IDProperty, in.ID)
		}
		if c == nil {
			missing = append(missing, in.ID)
		} else if !listed[c.ID] {
			listed[c.ID] = true
			out.Results = append(out.Results, c.render(body.Properties))
		}
	}
	slices.Reverse(out.Results)
	out.missing("CONTACT", missing)
	annotate(w, fmt.Sprintf("%d found, %d missing", len(out.Results), len(missing)))
	s.writeBatch(w, out.NumErrors, out)
}

// missing adds the error for ids that do not exist.
func (b *batchResponse[R]) missing(kind string, ids []string) {
	if len(ids) == 0 {
		return
	}
	b.NumErrors, b.Errors = 1, []problem{{
		Status: "error", Category: "OBJECT_NOT_FOUND",
		Message: "Could not get some " + kind + " objects, they may be deleted or not exist.",
		Context: map[string][]string{"ids": ids},
	}}
}

func (s *Server) writeBatch(w http.ResponseWriter, errors int, body any) {
	if errors > 0 {
		writeJSON(w, s.cfg.PartialStatus, body)
		return
	}
	writeJSON(w, http.StatusOK, body)
}

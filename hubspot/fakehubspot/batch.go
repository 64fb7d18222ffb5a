package fakehubspot

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const maxBatch = 100

type upsertInput struct {
	ID         string            `json:"id"`
	IDProperty string            `json:"idProperty"`
	TraceID    string            `json:"objectWriteTraceId"`
	Properties map[string]string `json:"properties"`
}

type batchResponse[R any] struct {
	Status      string    `json:"status"`
	StartedAt   string    `json:"startedAt"`
	CompletedAt string    `json:"completedAt"`
	Results     []R       `json:"results"`
	NumErrors   int       `json:"numErrors,omitempty"`
	Errors      []problem `json:"errors,omitempty"`
}

func newBatchResponse[R any](at time.Time) batchResponse[R] {
	now := at.UTC().Format(timeLayout)
	return batchResponse[R]{Status: "COMPLETE", StartedAt: now, CompletedAt: now, Results: []R{}}
}

// batchUpsert responds like HubSpot: one invalid input fails the whole batch, unless every input has its own trace id.
// Then the valid ones are written, and the response is a 207 in a different order.
func (s *Server) batchUpsert(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Inputs []upsertInput `json:"inputs"`
	}
	if !decode(w, r, &body) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	traced, p := s.checkBatch(body.Inputs)
	if p != nil {
		writeError(w, http.StatusBadRequest, *p)
		return
	}
	out := newBatchResponse[object](s.cfg.Now())
	for _, in := range body.Inputs {
		c, created, status, p := s.upsert(in, traced)
		if p != nil && !traced {
			writeError(w, status, *p)
			return
		}
		if p != nil {
			p.Status, p.CorrelationID = "error", ""
			if p.Context == nil {
				p.Context = map[string][]string{}
			}
			p.Context["objectWriteTraceId"] = []string{in.TraceID}
			out.Errors = append(out.Errors, *p)
			continue
		}
		o := c.render(append(slices.Collect(maps.Keys(in.Properties)), "email"))
		o.New, o.TraceID = &created, in.TraceID
		out.Results = append(out.Results, o)
	}
	slices.Reverse(out.Results)
	out.NumErrors = len(out.Errors)
	annotate(w, fmt.Sprintf("%d written, %d rejected", len(out.Results), len(out.Errors)))
	if out.NumErrors > 0 {
		writeJSON(w, http.StatusMultiStatus, out)
		return
	}
	writeJSON(w, http.StatusOK, out)
}

// checkBatch checks the size of the batch and duplicate keys. traced reports whether its inputs can fail one by one.
func (s *Server) checkBatch(inputs []upsertInput) (traced bool, p *problem) {
	if len(inputs) == 0 || len(inputs) > maxBatch {
		message := fmt.Sprintf("The batch must have 1 to %d inputs, it has %d", maxBatch, len(inputs))
		return false, &problem{Message: message, Category: "VALIDATION_ERROR"}
	}
	traced = true
	keys, traces := map[string]bool{}, map[string]bool{}
	for _, in := range inputs {
		key := in.IDProperty + "\x00" + strings.ToLower(in.ID)
		if keys[key] {
			return false, &problem{Message: "Duplicate IDs found in batch input: [" + in.ID + "]",
				Category: "VALIDATION_ERROR"}
		}
		keys[key] = true
		traced = traced && in.TraceID != "" && !traces[in.TraceID]
		traces[in.TraceID] = true
	}
	if !traced {
		for _, in := range inputs {
			if bad := s.badInput(in); bad != nil {
				return false, bad
			}
		}
	}
	return traced, nil
}

func (s *Server) badInput(in upsertInput) *problem {
	if in.Properties == nil || in.ID == "" {
		p := missingMember("id and properties")
		return &p
	}
	if in.IDProperty == "email" && !isEmail(in.ID) {
		return invalid([]violation{{Name: "email", Error: "INVALID_EMAIL",
			Message: "Email address " + in.ID + " is invalid"}})
	}
	if def, ok := s.schema.property(in.IDProperty); !ok || in.IDProperty != "email" && !def.HasUniqueValue {
		return &problem{Message: "idProperty " + in.IDProperty + " is not a unique property",
			Category: "VALIDATION_ERROR"}
	}
	if bad := s.schema.check(in.Properties); len(bad) > 0 {
		return invalid(bad)
	}
	return nil
}

func (s *Server) upsert(in upsertInput, traced bool) (c *Contact, created bool, status int, p *problem) {
	if p := s.badInput(in); traced && p != nil {
		return nil, false, http.StatusBadRequest, p
	}
	c = s.contacts.find(in.IDProperty, in.ID)
	if c != nil && s.cfg.Conflicts && in.IDProperty == "email" && !strings.EqualFold(c.Properties["email"], in.ID) {
		return nil, false, http.StatusConflict, &problem{Message: "Contact already exists. Existing ID: " + c.ID,
			Category: "CONFLICT"}
	}
	properties := in.Properties
	if c == nil {
		properties = maps.Clone(in.Properties)
		properties[in.IDProperty] = in.ID
	}
	if status, p := s.checkWrite(c, properties); p != nil {
		return nil, false, status, p
	}
	if c == nil {
		return s.insert(properties), true, 0, nil
	}
	s.write(c, in.Properties)
	return c, false, 0, nil
}

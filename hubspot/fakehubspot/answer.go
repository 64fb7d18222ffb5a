package fakehubspot

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
)

// problem is HubSpot's error body.
type problem struct {
	Status        string              `json:"status"`
	Message       string              `json:"message"`
	CorrelationID string              `json:"correlationId,omitempty"`
	Category      string              `json:"category,omitempty"`
	ErrorType     string              `json:"errorType,omitempty"`
	PolicyName    string              `json:"policyName,omitempty"`
	Context       map[string][]string `json:"context,omitempty"`
	Errors        []detail            `json:"errors,omitempty"`
}

type detail struct {
	Message   string              `json:"message"`
	Code      string              `json:"code,omitempty"`
	ErrorType string              `json:"errorType,omitempty"` // instead of code in responses to form submissions
	In        string              `json:"in,omitempty"`
	Context   map[string][]string `json:"context,omitempty"`
}

func correlationID() string {
	b := make([]byte, 16)
	rand.Read(b)
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// missingMember is the error for a body without members that the API description requires.
func missingMember(names string) problem {
	return problem{Message: "Invalid input JSON: " + names + " required", Category: "VALIDATION_ERROR"}
}

func writeError(w http.ResponseWriter, status int, p problem) {
	p.Status, p.CorrelationID = "error", correlationID()
	annotate(w, p.Message)
	writeJSON(w, status, p)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Header().Set("X-HubSpot-Correlation-Id", correlationID())
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// decode decodes a body as strictly as HubSpot's API description: JSON, no unknown members, property values that are
// strings. It writes the error response and returns false if the body is invalid.
func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		writeError(w, http.StatusUnsupportedMediaType,
			problem{Message: "Content-Type must be application/json", Category: "VALIDATION_ERROR"})
		return false
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		writeError(w, http.StatusBadRequest,
			problem{Message: "Invalid input JSON: " + err.Error(), Category: "VALIDATION_ERROR"})
		return false
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		writeError(w, http.StatusBadRequest,
			problem{Message: "Invalid input JSON: more than one value", Category: "VALIDATION_ERROR"})
		return false
	}
	return true
}

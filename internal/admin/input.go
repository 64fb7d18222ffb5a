package admin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
)

// MaxPage is the largest number of entries in one page of a list.
const MaxPage = 1000

const badCursor = "cursor is not one that a previous page returned"

// parameters reads the query strictly: only these names, each at most once and not empty. If a mistyped name were
// ignored, more would be ended or replayed than the operator asked for.
func parameters(r *http.Request, names ...string) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, errors.New("the query is malformed")
	}
	for name, values := range q {
		switch {
		case !slices.Contains(names, name):
			return nil, errors.New("unknown parameter " + strconv.Quote(logging.Capped(name)))
		case len(values) > 1:
			return nil, errors.New("parameter " + name + " is given more than once")
		case strings.TrimSpace(values[0]) == "" && name != "cursor":
			return nil, errors.New("parameter " + name + " is empty")
		}
	}
	return q, nil
}

// pageQuery reads the query of a list: cursor, limit and names.
func pageQuery(r *http.Request, names ...string) (q url.Values, limit int, err error) {
	q, err = parameters(r, append(names, "cursor", "limit")...)
	if err != nil || !q.Has("limit") {
		return q, 100, err
	}
	limit, err = strconv.Atoi(q.Get("limit"))
	if err != nil || limit < 1 || limit > MaxPage {
		return nil, 0, errors.New("limit must be a number from 1 to 1000")
	}
	return q, limit, nil
}

// readJSON reads one JSON object strictly, for the same reason.
func readJSON(r *http.Request, into any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return errors.New("the body is not the expected JSON object: " + err.Error())
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("the body continues after its JSON object")
	}
	return nil
}

// refuseUnavailable responds with 503 to a request that Redis could not serve.
func refuseUnavailable(w http.ResponseWriter, r *http.Request, err error) {
	inbound.Of(r).Outcome.Err = err
	w.Header().Set("Retry-After", "5")
	refuse(w, r, http.StatusServiceUnavailable, "Redis is unavailable; try again")
}

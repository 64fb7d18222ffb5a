package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/hubgate/hubgate/internal/dependency"
)

// contentList reads a list of the content API, one response at a time.
type contentList struct {
	account    *Account
	name       string // for messages
	path       string
	properties string // the members to ask for; "" = all
	take       func(json.RawMessage) error

	limit int             // elements in a response
	after string          // the cursor
	seen  map[string]bool // the cursors so far
	read  int
	total int
	done  bool
	err   error // why not all of the list was read
}

// next reads the next response of the list.
func (l *contentList) next(ctx context.Context) {
	page, err := l.fetch(ctx)
	for errors.Is(err, errTooLarge) && l.limit > 1 {
		l.limit /= 2
		page, err = l.fetch(ctx)
	}
	if errors.Is(err, errTooLarge) {
		err = fmt.Errorf("a page of the list is larger than %d MiB", maxResponse>>20)
	}
	if err != nil {
		l.fail(err)
		l.done = true
		return
	}
	l.add(page)
}

// fail stores the first error.
func (l *contentList) fail(err error) {
	if l.err == nil {
		l.err = fmt.Errorf("hubspot: list %s: %w", l.name, err)
	}
}

// firstLimit is how many elements are asked for at once: HubSpot's default and maximum.
const firstLimit = 100

type listPage struct {
	Total   int               `json:"total"`
	Results []json.RawMessage `json:"results"`
	Paging  struct {
		Next struct {
			After string `json:"after"`
		} `json:"next"`
	} `json:"paging"`
}

func (l *contentList) fetch(ctx context.Context) (page listPage, err error) {
	if l.limit == 0 {
		l.limit = firstLimit
	}
	query := url.Values{"limit": {strconv.Itoa(l.limit)}}
	if l.properties != "" {
		query.Set("property", l.properties)
	}
	if l.after != "" {
		query.Set("after", l.after)
	}
	body, err := l.account.doWithRetry(ctx, call{
		op: dependency.OpPages, method: http.MethodGet, url: l.account.client.api(l.path) + "?" + query.Encode(),
	})
	if err != nil {
		return page, err
	}
	err = decodeResponse(body, &page)
	if err == nil && page.Results == nil {
		err = missingMember("results")
	}
	return page, err
}

// add takes the elements of a response, and moves on to the next. One bad element does not hide the others.
func (l *contentList) add(page listPage) {
	l.total = max(l.total, page.Total, l.read+len(page.Results))
	for _, element := range page.Results {
		if err := l.take(element); err != nil {
			l.fail(err)
			continue
		}
		l.read++
	}
	next := page.Paging.Next.After
	if l.done = next == ""; l.seen[next] { // would loop forever
		l.fail(errors.New("HubSpot's response names a cursor as the next one that was used before"))
		l.done = true
	}
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	l.after, l.seen[next] = next, next != ""
}

package auth

import (
	"net/http"
	"slices"

	"github.com/hubgate/hubgate/internal/seal"
)

// pagesCookie holds the pages of begun logins whose own cookies had to go: of many restored tabs each still comes back
// to its page.
const pagesCookie = "hubgate-pages"

const (
	pagesBytes  = 3600 // of the cookie, name and value
	maxPageLeft = 512  // of one address: a longer one leaves its path
)

// pagesLeft are such pages, the oldest first.
type pagesLeft struct {
	all   []pageOf
	value string // the cookie's
	size  int    // of the cookie, name and value
}

// pageOf is the part of the state's hash that named an attempt's cookie, and its page.
type pageOf [2]string

func (h *Handler) readPages(r *http.Request) pagesLeft {
	var left pagesLeft
	name := hostPrefix(r) + pagesCookie
	if c := r.CookiesNamed(name); len(c) == 1 && h.openCookie(seal.ReturnPage, name, c[0].Value, &left.all) {
		left.value, left.size = c[0].Value, len(name)+len(c[0].Value)
	}
	return left
}

// leavePage adds the page of an attempt whose cookie goes. The oldest make room: first their queries, then they
// themselves.
func (h *Handler) leavePage(r *http.Request, left *pagesLeft, k keptAttempt) {
	page := k.page
	if len(page) > maxPageLeft {
		page = pathOf(page)
	}
	if page != "" && page != "/" && len(page) <= maxPageLeft {
		left.all = append(left.all, pageOf{k.name[len(k.name)-stateInName:], page})
	}
	name := hostPrefix(r) + pagesCookie
	for {
		left.value = h.sealCookie(seal.ReturnPage, name, left.all)
		if left.size = len(name) + len(left.value); left.size <= pagesBytes || len(left.all) == 0 {
			return
		}
		if path := pathOf(left.all[0][1]); path != left.all[0][1] {
			left.all[0][1] = path
		} else {
			left.all = left.all[1:]
		}
	}
}

// pageLeft is the page of an attempt whose cookie had to go, or "/".
func (h *Handler) pageLeft(r *http.Request, st state) string {
	all := h.readPages(r).all
	i := slices.IndexFunc(all, func(p pageOf) bool { return p[0] == st.hash()[:stateInName] })
	if i < 0 {
		return "/"
	}
	return all[i][1]
}

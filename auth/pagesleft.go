package auth

import (
	"net/http"
	"slices"
)

const (
	maxPagesBytes = 3600 // of the cookie, name and value
	maxPageLeft   = 512  // of one address; a longer one keeps only its path
)

// pagesLeft are the pages of attempts whose cookies were deleted, oldest first, in one cookie. With them each of many
// restored tabs still returns to its page.
type pagesLeft struct {
	cookies cookies
	all     []pageOf
	name    string
	value   string // of the cookie
	size    int    // of name and value; 0 without a cookie
}

// pageOf is the part of the state's hash in the name of an attempt's cookie, and the attempt's page.
type pageOf [2]string

func (s attempts) pagesLeft(r *http.Request) pagesLeft {
	left := pagesLeft{cookies: s.cookies, name: hostPrefix(r) + pagesCookie.name}
	c := r.CookiesNamed(left.name)
	if len(c) == 1 && s.cookies.open(pagesCookie.label, left.name, c[0].Value, &left.all) {
		left.value, left.size = c[0].Value, len(left.name)+len(c[0].Value)
	}
	return left
}

// add adds the page of a deleted attempt. To make room the oldest pages first lose their queries and are then removed.
func (l *pagesLeft) add(k keptAttempt) {
	page := k.page
	if len(page) > maxPageLeft {
		page = pathOf(page)
	}
	if page != "" && page != "/" && len(page) <= maxPageLeft {
		l.all = append(l.all, pageOf{k.name[len(k.name)-stateInName:], page})
	}
	for {
		l.value = l.cookies.seal(pagesCookie.label, l.name, l.all)
		if l.size = len(l.name) + len(l.value); l.size <= maxPagesBytes || len(l.all) == 0 {
			return
		}
		if path := pathOf(l.all[0][1]); path != l.all[0][1] {
			l.all[0][1] = path
		} else {
			l.all = l.all[1:]
		}
	}
}

// of returns the page of a deleted attempt, or "/".
func (l *pagesLeft) of(st state) string {
	i := slices.IndexFunc(l.all, func(p pageOf) bool { return p[0] == st.hash()[:stateInName] })
	if i < 0 {
		return "/"
	}
	return l.all[i][1]
}

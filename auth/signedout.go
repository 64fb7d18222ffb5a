package auth

import (
	"net/http"

	"github.com/hubgate/hubgate/internal/page"
)

// signedOut serves the page that the provider's logout returns to. If the visitor chose to use another account, it
// begins that login.
func (h *Handler) signedOut(w http.ResponseWriter, r *http.Request) {
	if returnTo, ok := h.logout.takeReturn(w, r); ok {
		h.begin(w, r, login{returnTo: returnTo, prompt: true})
		return
	}
	next := page.Link{Label: page.LabelHome, URL: "/"}
	if h.cfg.AfterLogout != "" {
		next = page.Link{Label: page.LabelContinue, URL: h.cfg.AfterLogout}
	}
	h.deps.Pages.Write(w, r, page.Page{
		Name: page.SignedOut, Status: http.StatusOK,
		Links: []page.Link{{Label: page.LabelLogin, URL: h.replies.startURL("/")}, next},
	})
}

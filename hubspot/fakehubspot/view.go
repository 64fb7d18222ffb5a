package fakehubspot

import (
	_ "embed"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"time"
)

//go:embed contacts.html
var contactsHTML string

var contactsPage = template.Must(template.New("contacts").Parse(contactsHTML))

type contactView struct {
	Contact
	Rows [][2]string
	Age  string
}

// listView is a list with the addresses of its members.
type listView struct {
	List
	Kind    string
	Members []string
}

// listViews returns the lists as reads show them now.
func (s *Server) listViews(contacts []Contact) (views []listView) {
	for _, l := range s.Lists() {
		v := listView{List: l, Kind: "static"}
		if l.Filter != nil {
			v.Kind = "dynamic"
		}
		members := s.Members(l.ID)
		for _, c := range contacts {
			if slices.Contains(members, c.ID) {
				v.Members = append(v.Members, c.Properties["email"])
			}
		}
		views = append(views, v)
	}
	return views
}

type callView struct {
	Call
	Class, Clock string
}

// showContacts serves a page that refreshes itself, to watch while logging in.
func (s *Server) showContacts(w http.ResponseWriter, _ *http.Request) {
	now := s.cfg.Now()
	view := struct {
		Contacts []contactView
		Lists    []listView
		Calls    []callView
		Forms    []Submission
		Clock    string
		Over     int
	}{Clock: now.Format(time.TimeOnly), Over: s.Over(), Forms: s.Submissions()}
	contacts := s.Contacts()
	view.Lists = s.listViews(contacts)
	slices.SortFunc(contacts, func(a, b Contact) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
	for _, c := range contacts {
		v := contactView{Contact: c, Age: now.Sub(c.UpdatedAt).Round(time.Second).String()}
		for _, name := range slices.Sorted(maps.Keys(c.Properties)) {
			if name != "email" {
				v.Rows = append(v.Rows, [2]string{name, truncate(c.Properties[name])})
			}
		}
		view.Contacts = append(view.Contacts, v)
	}
	calls := s.Calls()
	slices.Reverse(calls)
	for _, c := range calls[:min(len(calls), 30)] {
		class := "ok"
		if c.Status >= 400 {
			class = "bad"
		}
		view.Calls = append(view.Calls, callView{Call: c, Class: class, Clock: c.At.Format(time.TimeOnly)})
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	_ = contactsPage.Execute(w, view)
}

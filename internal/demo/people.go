package demo

import (
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

//go:embed people.html
var peopleHTML string

var peoplePage = template.Must(template.New("people").Parse(peopleHTML))

const (
	customersList = "31"
	tierProperty  = "member_tier"
)

// addCustomers makes bob an existing customer of the account: in the list Customers, and with the tier gold. No form
// can set the tier, so that visitors cannot make themselves members.
func addCustomers(account *fakehubspot.Server) {
	account.Define(fakehubspot.Property{
		Name: tierProperty, Label: "Membership tier", GroupName: "portal", Type: "enumeration", FieldType: "select",
		Options: []fakehubspot.Option{{Label: "Silver", Value: "silver"}, {Label: "Gold", Value: "gold", DisplayOrder: 1}},
	})
	account.AddList(fakehubspot.List{ID: customersList, Name: "Customers"})
	bob := account.Add(map[string]string{
		"email": "bob@example.com", "firstname": "Bob", "lastname": "Baker", tierProperty: "gold",
	})
	account.Join(customersList, bob)
}

// people serves a page that changes what decides about access, as users of HubSpot would.
func people(account *fakehubspot.Server) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /people", func(w http.ResponseWriter, _ *http.Request) { showPeople(w, account) })
	mux.HandleFunc("POST /people", func(w http.ResponseWriter, r *http.Request) {
		change(account, r.PostFormValue("contact"), r.PostFormValue("change"))
		http.Redirect(w, r, "/people", http.StatusSeeOther)
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

// change changes a contact, if it exists: the page may be older than this run.
func change(account *fakehubspot.Server, contact, to string) {
	exists := func(c fakehubspot.Contact) bool { return c.ID == contact }
	if !slices.ContainsFunc(account.Contacts(), exists) {
		return
	}
	switch to {
	case "join":
		account.Join(customersList, contact)
	case "leave":
		account.Leave(customersList, contact)
	case "gold", "silver":
		account.Update(contact, map[string]string{tierProperty: to})
	}
}

type person struct {
	ID, Email, Tier string
	Customer        bool
}

func showPeople(w http.ResponseWriter, account *fakehubspot.Server) {
	members := account.Members(customersList)
	var list []person
	for _, c := range account.Contacts() {
		list = append(list, person{
			ID: c.ID, Email: c.Properties["email"], Tier: c.Properties[tierProperty],
			Customer: slices.Contains(members, c.ID),
		})
	}
	slices.SortFunc(list, func(a, b person) int { return strings.Compare(a.Email, b.Email) })
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	_ = peoplePage.Execute(w, list)
}

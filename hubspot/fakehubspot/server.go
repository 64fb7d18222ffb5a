package fakehubspot

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

// NoFaults as Config.FaultPercent means that no write fails at random.
const NoFaults = -1

// Config configures the account. The zero value is a professional plan that accepts any bearer token.
type Config struct {
	Token  string   // the access token; "" accepts any
	HubID  int64    // 0 = 4711
	Limit  int      // calls in 10 s; 0 = 190
	Daily  int      // calls per day; 0 = 650,000
	Scopes []string // scopes of the token; nil = all
	// Forbidden are parts of the paths that the token may not call, whatever its scopes.
	Forbidden []string
	// Conflicts makes an upsert by a contact's secondary address fail with a conflict that names the contact, instead
	// of finding it.
	Conflicts    bool
	FaultPercent int              // writes of contacts that fail with 429, 502 or 503; 0 = 5, NoFaults = none
	Now          func() time.Time // nil = time.Now
	// Lag is how long batch reads do not show a change of a contact or of the members of a list. Filters of dynamic lists
	// show it after twice that time, so that a new contact exists before it is in a list. 0 = none.
	Lag time.Duration
	// PartialStatus is the status of a batch read that did not find everything; 0 = 207. HubSpot's description has only
	// 200.
	PartialStatus int
	// Wrap, if set, wraps the API (not /contacts), so that a test can delay, cut or replace responses.
	Wrap func(next http.Handler) http.Handler
	// Pages are the pages in the content API.
	Pages []Page
	// Redirects are the account's URL mappings.
	Redirects []Redirect
	// Forms are the account's forms; nil = every id is a form with HubSpot's default settings.
	Forms []Form
}

// Server is an http.Handler, safe for concurrent use.
type Server struct {
	cfg    Config
	api    http.Handler
	views  *http.ServeMux
	schema *schema
	limits *limits

	mu       sync.Mutex // guards what follows
	contacts *contactStore
	lists    *listStore
	calls    []Call
	counts   map[string]int // of all calls, by kind
	forms    []Submission
	faults   []Fault
	disliked []Dislike
}

// New returns a server with HubSpot's own contact properties and those that hubgate's demo maps.
func New(cfg Config) *Server {
	if cfg.HubID == 0 {
		cfg.HubID = 4711
	}
	if cfg.Limit == 0 {
		cfg.Limit = 190
	}
	if cfg.Daily == 0 {
		cfg.Daily = 650_000
	}
	if cfg.FaultPercent == 0 {
		cfg.FaultPercent = 5
	}
	if cfg.PartialStatus == 0 {
		cfg.PartialStatus = http.StatusMultiStatus
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Server{cfg: cfg, contacts: newContactStore(), lists: newListStore(), schema: newSchema(),
		views: http.NewServeMux(), counts: map[string]int{}}
	s.limits = &limits{window: cfg.Limit, day: cfg.Daily, now: cfg.Now}
	s.views.HandleFunc("GET /{$}", s.showContacts)
	s.views.HandleFunc("GET /contacts", s.showContacts)
	s.api = s.firewall(s.guard(s.injectFaults(s.refuse(s.routes()))))
	if cfg.Wrap != nil {
		s.api = cfg.Wrap(s.api)
	}
	return s
}

// ServeHTTP serves the API and the page of contacts.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" || r.URL.Path == "/contacts" {
		s.views.ServeHTTP(w, r)
		return
	}
	s.api.ServeHTTP(w, r)
}

// routes returns the calls of the API. HubSpot still serves most of them under v3 too; hubgate does not use that.
func (s *Server) routes() *http.ServeMux {
	mux, pages := http.NewServeMux(), content{s.cfg.Pages, s.cfg.Redirects}
	for pattern, handler := range map[string]http.HandlerFunc{
		"POST {objects}/batch/upsert":                                 s.batchUpsert,
		"POST {objects}/batch/read":                                   s.batchRead,
		"GET {objects}":                                               s.listContacts,
		"POST {objects}":                                              s.createContact,
		"GET {objects}/{id}":                                          s.readContact,
		"PATCH {objects}/{id}":                                        s.patchContact,
		"GET {properties}":                                            s.schema.listProperties,
		"POST {properties}":                                           s.schema.createProperty,
		"GET {properties}/{name}":                                     s.schema.readProperty,
		"GET {properties}/groups":                                     s.schema.listGroups,
		"POST {properties}/groups":                                    s.schema.createGroup,
		"GET {lists}/{list}":                                          s.readList,
		"POST {lists}/idmapping":                                      s.readMappings,
		"POST {lists}/records/memberships/batch/read":                 s.readMemberships,
		"GET /account-info/{version}/details":                         s.account,
		"GET /account-info/{version}/api-usage/daily/private-apps":    s.limits.usage,
		"POST /submissions/v3/integration/secure/submit/{hub}/{form}": s.submitForm,
		"GET /cms/pages/{version}/site-pages":                         pages.list("site"),
		"GET /cms/pages/{version}/landing-pages":                      pages.list("landing"),
		"GET /cms/blogs/{version}/posts":                              pages.list("post"),
		"GET /cms/url-redirects/{version}":                            pages.listRedirects,
		"GET /cms/domains/{version}":                                  pages.listDomains,
	} {
		pattern = strings.Replace(pattern, "{objects}", "/crm/objects/{version}/contacts", 1)
		pattern = strings.Replace(pattern, "{properties}", "/crm/properties/{version}/contacts", 1)
		pattern = strings.Replace(pattern, "{lists}", "/crm/lists/{version}", 1)
		mux.HandleFunc(pattern, ofVersion(handler))
	}
	mux.HandleFunc("/", notFound)
	mux.HandleFunc("GET /marketing/v3/forms/{form}", s.readForm)
	return mux
}

var datedVersion = regexp.MustCompile(`^20\d\d-0[39]$`)

// ofVersion serves a call only under a dated version.
func ofVersion(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if version := r.PathValue("version"); version != "" && !datedVersion.MatchString(version) {
			notFound(w, r)
			return
		}
		next(w, r)
	}
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	writeError(w, http.StatusNotFound,
		problem{Message: "The requested URL was not found.", Category: "OBJECT_NOT_FOUND"})
}

func (s *Server) account(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"portalId": s.cfg.HubID, "accountType": "STANDARD", "timeZone": "Europe/Berlin", "companyCurrency": "EUR",
		"additionalCurrencies": []string{},
		"utcOffset":            "+01:00", "utcOffsetMilliseconds": 3600000, "uiDomain": "app.hubspot.com",
		"dataHostingLocation": "na1",
	})
}

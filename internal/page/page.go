// Package page renders what the gateway says itself: its own HTML pages and their JSON twins (RFC 9457 problem details).
//
// A handler describes what happened as a Page; Pages.Write picks HTML or JSON by the request, the visitor's language and the
// operator's look, and sends it with the security headers of every own page. Texts live in the catalogue, never in handlers.
// It imports nothing of hubgate but inbound and setting, its neighbours on floor 0.
package page

import "time"

// Page is one answer of the gateway's own.
type Page struct {
	// Name is the page's key in the catalogue: title, sentence and next step come from there.
	Name Name
	// Status is the HTTP status; 0 takes the page's usual one.
	Status int
	// Cause is a closed word that narrows the page down (cookie_missing, denied, scheme ...). The catalogue may have a sentence
	// for Name.Cause; it is also the member "cause" of the JSON twin. Never text from outside.
	Cause string
	// Args fill the {placeholders} of the catalogue's sentences. Values are escaped and capped; they are never links.
	Args map[string]string
	// Links and Forms are what the visitor can do next.
	Links []Link
	Forms []Form
	// FormOrigins are further origins a form's redirects may lead to (the provider's): CSP form-action.
	FormOrigins []string
	// Rows are facts shown as a definition list (my session); Tables are shown below (test configuration).
	Rows   []Row
	Tables []Table
	// RetryAfter sets Retry-After, rounded up to seconds.
	RetryAfter time.Duration
	// LoginURL is the member login_url of the JSON twin.
	LoginURL string
}

// Name names a page.
type Name string

// The gateway's own pages.
const (
	LoginFailed    Name = "login_failed"    // a login could not be finished; Cause says why
	LoginRequired  Name = "login_required"  // 401 for whoever cannot be redirected
	NothingSaved   Name = "nothing_saved"   // 401 for a form sent without a session
	Forbidden      Name = "forbidden"       // 403: logged in, but not in the groups
	LoginTooOld    Name = "login_too_old"   // max_auth_age cannot be satisfied
	Refused        Name = "refused"         // 400: malformed or ambiguous request
	Loop           Name = "loop"            // 400: the loop breaker, with its cause
	Scheme         Name = "scheme"          // 400: http/https mismatch in front
	Misdirected    Name = "misdirected"     // 421: not a host of ours
	NotFound       Name = "not_found"       // 404 below the gateway's own prefix
	MethodRefused  Name = "method_refused"  // 405
	TooLarge       Name = "too_large"       // 413
	TooMany        Name = "too_many"        // 429
	Unavailable    Name = "unavailable"     // 503: store or provider cannot be asked
	Misconfigured  Name = "misconfigured"   // 500: the operator must mend a setting
	InternalError  Name = "internal_error"  // 500
	BadGateway     Name = "bad_gateway"     // 502
	GatewayTimeout Name = "gateway_timeout" // 504
	SignOut        Name = "sign_out"        // asks before ending the session
	SignedOut      Name = "signed_out"
	MySession      Name = "my_session"
	TestLogin      Name = "test_login" // the test-configuration page
)

// Link is a way on. Label is a key of the catalogue; URL must be a path of this host or come from the configuration.
type Link struct {
	Label Label
	URL   string
}

// Form is a button that posts.
type Form struct {
	Label  Label
	Action string
	Fields []Field
}

// Field is one hidden field of a Form.
type Field struct{ Name, Value string }

// Row is one fact; Label is a key of the catalogue, Value is shown as text.
type Row struct {
	Label Label
	Value string
	// Time, when set, is shown instead of Value in the visitor's language.
	Time time.Time
}

// Table is a table of text. Caption and Columns are shown as they are.
type Table struct {
	Caption string
	Columns []string
	Rows    [][]string
}

// Label names a word of the catalogue: what stands on links, buttons and facts.
type Label string

// The labels.
const (
	LabelHome           Label = "home"            // to the start page
	LabelBack           Label = "back"            // back to the page
	LabelRetry          Label = "retry"           // try again
	LabelLogin          Label = "login"           // log in
	LabelLogout         Label = "logout"          // log out
	LabelLogoutAll      Label = "logout_all"      // log out everywhere
	LabelUseOther       Label = "use_other"       // use another account
	LabelAccount        Label = "account"         // who
	LabelSince          Label = "since"           // logged in since
	LabelUntil          Label = "until"           // until
	LabelGroups         Label = "groups"          // groups
	LabelContinue       Label = "continue"        // go on
	LabelContactSupport Label = "contact_support" // pages.support
)

// Config is the section pages of the YAML file: the look of the gateway's own pages.
type Config struct {
	Folder   string `yaml:"folder" json:"folder"`       // own templates and languages
	SiteName string `yaml:"site_name" json:"site_name"` // shown in the title; default: the host
	Logo     string `yaml:"logo" json:"logo"`           // https URL or path on this site
	Support  string `yaml:"support" json:"support"`     // https or mailto URL
	Language string `yaml:"language" json:"language"`   // auto, en, de or one the folder brings
}

// DefaultConfig is the section as it is when the file does not have it.
func DefaultConfig() Config { return Config{Language: "auto"} }

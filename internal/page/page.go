package page

import "time"

// Page is one response that the gateway generates itself.
type Page struct {
	// Name is the page's key in the catalogue, which has its title, text and next step.
	Name Name
	// Status is the HTTP status; 0 means the default status of the page.
	Status int
	// Cause is a word from a closed set that says why (cookie_missing, denied, scheme ...), never untrusted text. The
	// catalogue may have a sentence for Name.Cause. It is also the member "cause" of the JSON twin.
	Cause string
	// Args are the values of the {placeholders} in the catalogue. They are escaped, capped and never used as links.
	Args map[string]string
	// Links and Forms are the visitor's next steps.
	Links []Link
	Forms []Form
	// FormOrigins are the other origins that a form may redirect to, such as the provider's: CSP form-action.
	FormOrigins []string
	// Verdict is shown first (configuration test), Rows as a definition list (my session), Tables below the buttons.
	Verdict []Sentence
	Rows    []Row
	Tables  []Table
	// RetryAfter sets Retry-After, rounded up to seconds.
	RetryAfter time.Duration
	// LoginURL is the member login_url of the JSON twin.
	LoginURL string
}

// Name names a page.
type Name string

// The gateway's own pages.
const (
	LoginFailed    Name = "login_failed"    // the login failed; Cause says why
	LoginRequired  Name = "login_required"  // 401 for clients that cannot be redirected
	NothingSaved   Name = "nothing_saved"   // 401 for a form sent without a session
	Forbidden      Name = "forbidden"       // 403: logged in, but not admitted
	LoginTooOld    Name = "login_too_old"   // 403: the login is older than max_auth_age and was not renewed
	Refused        Name = "refused"         // 400: malformed or ambiguous request
	Loop           Name = "loop"            // 400: a redirect loop was stopped; Cause says why
	Scheme         Name = "scheme"          // 400: a proxy in front reports http for https
	Misdirected    Name = "misdirected"     // 421: the Host is not a configured one
	NotFound       Name = "not_found"       // 404 below the gateway's own prefix
	MethodRefused  Name = "method_refused"  // 405
	TooLarge       Name = "too_large"       // 413
	TooMany        Name = "too_many"        // 429
	Unavailable    Name = "unavailable"     // 503: the session store or the provider is unavailable
	Misconfigured  Name = "misconfigured"   // 500: the operator must fix a setting
	InternalError  Name = "internal_error"  // 500
	BadGateway     Name = "bad_gateway"     // 502
	GatewayTimeout Name = "gateway_timeout" // 504
	SignOut        Name = "sign_out"        // asks before it ends the session
	SignedOut      Name = "signed_out"
	MySession      Name = "my_session"
	TestLogin      Name = "test_login" // the configuration test for operators
)

// Link is a link below the text. URL must be a path on this host or come from the configuration.
type Link struct {
	Label Label
	URL   string
}

// Form is a button that sends a POST request to Action.
type Form struct {
	Label  Label
	Action string
	Fields []Field
	Quiet  bool // the button looks less important than all others
	// Sessions, if not 0, is the number of sessions that the button ends.
	Sessions int
}

// Field is one hidden field of a Form.
type Field struct{ Name, Value string }

// Row is one entry of a definition list. Value is shown as text.
type Row struct {
	Label Label
	Value string
	// Time, if set, is shown instead of Value, in the visitor's language.
	Time time.Time
	// Left, if positive, is how long until Time. It is shown after it.
	Left time.Duration
}

// Label is the catalogue key of the text on a link, a button or a row.
type Label string

// The labels.
const (
	LabelHome           Label = "home"            // link to the home page
	LabelBack           Label = "back"            // back to the page
	LabelBackToSite     Label = "back_to_site"    // back to the site
	LabelRetry          Label = "retry"           // try again
	LabelRetest         Label = "retest"          // log in again and test again
	LabelLogin          Label = "login"           // log in
	LabelLogout         Label = "logout"          // log out
	LabelLogoutAll      Label = "logout_all"      // log out everywhere
	LabelUseOther       Label = "use_other"       // use another account
	LabelAccount        Label = "account"         // the account's name
	LabelSince          Label = "since"           // logged in since
	LabelUntil          Label = "until"           // logged in until
	LabelGroups         Label = "groups"          // groups
	LabelSynced         Label = "synced"          // when the contact was last sent
	LabelSyncError      Label = "sync_error"      // why it was not
	LabelContinue       Label = "continue"        // continue
	LabelContactSupport Label = "contact_support" // pages.support
)

// Config is the section pages of the YAML file.
type Config struct {
	Folder   string `yaml:"folder" json:"folder"`       // the operator's templates and languages
	SiteName string `yaml:"site_name" json:"site_name"` // shown in the title; default: the host
	Logo     string `yaml:"logo" json:"logo"`           // https URL or path on this site
	Support  string `yaml:"support" json:"support"`     // https or mailto URL
	// Accent is the color of buttons, #rgb or #rrggbb; AccentDark is that of the dark pages. Empty means the built-in
	// color, and for AccentDark a lighter shade of Accent if that is set.
	Accent     string `yaml:"accent" json:"accent"`
	AccentDark string `yaml:"accent_dark" json:"accent_dark"`
	Language   string `yaml:"language" json:"language"` // auto, en, de or a language of the folder
}

// DefaultConfig returns the section's default values.
func DefaultConfig() Config { return Config{Language: "auto"} }

package setting

// Finding is the result of check --live for one part.
type Finding struct {
	Part   string `json:"part"`
	Status string `json:"status"` // ok | warning | failed
	Detail string `json:"detail"`
	Cure   string `json:"cure,omitempty"`
	Where  string `json:"where,omitempty"` // the configuration key or the console page to change
}

// The values of Finding.Status.
const (
	OK      = "ok"
	Warning = "warning"
	Failed  = "failed"
)

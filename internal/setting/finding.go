package setting

// Finding is what check --live found out about one part.
type Finding struct {
	Part   string `json:"part"`
	Status string `json:"status"` // ok | warning | failed
	Detail string `json:"detail"`
	Cure   string `json:"cure,omitempty"`
	Where  string `json:"where,omitempty"` // the key of the file, or the place in a console, that has to be changed
}

const (
	OK      = "ok"
	Warning = "warning"
	Failed  = "failed"
)

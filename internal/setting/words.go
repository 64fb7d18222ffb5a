package setting

// Words is a list of strings that may also be written as one plain word.
type Words []string

// SetWord sets the list to one element.
func (w *Words) SetWord(text string) error {
	*w = Words{text}
	return nil
}

// Rate is a number of requests per time span. Zero Requests means none: no limit.
type Rate struct {
	Requests int      `yaml:"requests" json:"requests"`
	Per      Duration `yaml:"per" json:"per"`
}

// SetWord accepts only none.
func (r *Rate) SetWord(text string) error {
	if !IsNone(text) {
		return &Invalid{Text: "expected a rate or none", Cure: "write {requests: 30, per: 1m}, or none"}
	}
	*r = Rate{}
	return nil
}

// None reports whether there is no limit.
func (r Rate) None() bool { return r.Requests == 0 }

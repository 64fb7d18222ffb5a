package setting

// Words is a list of texts that may also be written as one bare word.
type Words []string

// SetWord takes the text as a list of one.
func (w *Words) SetWord(text string) error {
	*w = Words{text}
	return nil
}

// Rate is so many requests in a time, or none: no limit, held as zero Requests.
type Rate struct {
	Requests int      `yaml:"requests" json:"requests"`
	Per      Duration `yaml:"per" json:"per"`
}

// SetWord takes the word none.
func (r *Rate) SetWord(text string) error {
	if !IsNone(text) {
		return &Invalid{Text: "a rate is not one word", Cure: "write {requests: 30, per: 1m}, or none"}
	}
	*r = Rate{}
	return nil
}

// None tells that there is no limit.
func (r Rate) None() bool { return r.Requests == 0 }

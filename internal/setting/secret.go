package setting

import "log/slog"

// Secret is a string that must not be shown: it prints, marshals and logs as <secret>. Only Reveal returns its value.
type Secret string

const masked = "<secret>"

// SetWord sets the secret to text.
func (s *Secret) SetWord(text string) error {
	*s = Secret(text)
	return nil
}

// Reveal returns the secret itself. Call it only where the value is sent to its recipient.
func (s Secret) Reveal() string { return string(s) }

// String masks the value for %v and %s. An empty secret prints as "", because its absence need not be hidden.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString masks the value for %#v.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// MarshalText masks the value in JSON, YAML and other text encodings.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue masks the value in slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

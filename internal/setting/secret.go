package setting

import "log/slog"

// Secret is a text that must not be shown: it prints, marshals and logs as <secret>. Reveal is the only way to its value.
type Secret string

const masked = "<secret>"

// SetWord takes the text as it is.
func (s *Secret) SetWord(text string) error {
	*s = Secret(text)
	return nil
}

// Reveal returns the secret itself. Call it where the value leaves the process for the party that must know it.
func (s Secret) Reveal() string { return string(s) }

// String masks the value, so that %v and %s do not print it. An empty secret prints as nothing: that it is missing may be known.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString masks %#v.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// MarshalText masks JSON and everything else that marshals text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML masks YAML.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// LogValue masks slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

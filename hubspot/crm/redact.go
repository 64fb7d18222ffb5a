package crm

import (
	"net/http"
	"regexp"
	"sync"

	"github.com/hubgate/hubgate/internal/setting"
)

// redactor withholds the texts of a response that repeat what its call sent. Errors are logged, shown to operators and
// stored in Redis, and HubSpot repeats the values that it rejects (CWE-532): whole or cut off, escaped, in capitals. It
// returns the fragments of what was sent, which most calls never need, or nil if that was too much. A nil redactor is
// that of a call that sends nothing personal.
type redactor func() fragments

const (
	maxMessage = 300
	// maxSent limits the time for the fragments of a call. Texts about a larger one are withheld.
	maxSent = 128 << 10

	withheldText = "(text withheld: it may repeat a value)"
)

// redact returns the redactor of a call that sends the values.
func redact(values ...string) redactor {
	return sync.OnceValue(func() fragments {
		sent, total := fragments{}, 0
		for _, value := range values {
			if total += len(value); total > maxSent {
				return nil
			}
			sent.add(value)
		}
		return sent
	})
}

// text prepares a text from HubSpot for logs and operators: short, one line, without e-mail addresses and tokens (log
// injection, CWE-117), and withheld if it shares a word, or a part of one, with what was sent.
func (r redactor) text(s string) string {
	s = sanitize(s)
	if r == nil || s == "" || isStatusText(s) {
		return s
	}
	if sent := r(); sent == nil || sent.anyOf(placeholders.ReplaceAllString(s, " ")) {
		return withheldText
	}
	return s
}

// code returns a text if it is one of HubSpot's codes, such as INVALID_OPTION, and not a value that was sent.
func (r redactor) code(s string) string {
	if !codeForm.MatchString(s) {
		return ""
	}
	if r != nil {
		if sent := r(); sent == nil || sent.allOf(s) {
			return ""
		}
	}
	return s
}

// isStatusText reports whether a text is the name of a status, which stands for a response without a message.
func isStatusText(s string) bool {
	for status := http.StatusBadRequest; status < 600; status++ {
		if s == http.StatusText(status) {
			return true
		}
	}
	return false
}

// quotedForm matches what errors of net/http and of JSON repeat of a response.
var quotedForm = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|malformed MIME header.*`)

// hide returns an error whose quotations of the response are prepared like HubSpot's texts.
func (r redactor) hide(err error) error {
	text := quotedForm.ReplaceAllStringFunc(err.Error(), r.text)
	if text == err.Error() {
		return err
	}
	return hiddenError{err, text}
}

// hiddenError is an error with another text.
type hiddenError struct {
	error
	text string
}

func (e hiddenError) Error() string { return e.text }

func (e hiddenError) Unwrap() error { return e.error }

var (
	addressForm  = regexp.MustCompile(`[^\s@"'<>\[\](){},;:]+(?:@|%40)[^\s@"'<>\[\](){},;:]+`)
	keyForm      = regexp.MustCompile(`pat-[a-z0-9]+-[0-9A-Za-z-]+`)
	placeholders = regexp.MustCompile(`<(e-mail|key)>`)
)

// sanitize makes a text short, one line, and removes e-mail addresses and tokens.
func sanitize(s string) string {
	s = setting.Truncate(s, 4*maxMessage)
	s = keyForm.ReplaceAllString(addressForm.ReplaceAllString(clean(s, false), "<e-mail>"), "<key>")
	return setting.Truncate(s, maxMessage)
}

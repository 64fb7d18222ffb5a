package rules

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// LineError is the error of a line in a list of URLs.
type LineError struct {
	Line int
	err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("%d: %v", e.Line, e.err) }

func (e *LineError) Unwrap() error { return e.err }

// DiffURLs compares two sets of rules at each URL of a list, one per line. A *LineError names a line that is not a URL
// of the sites.
func DiffURLs(was, is *Set, sites []*inbound.Site, urls io.Reader) (Changes, error) {
	var all Changes
	scanner := bufio.NewScanner(urls)
	for n := 1; scanner.Scan(); n++ {
		line := strings.TrimSpace(scanner.Text())
		if line == "" {
			continue
		}
		subject, err := ParseSubject(line, sites)
		var refused *urlpath.Error
		if errors.As(err, &refused) {
			continue // both sets refuse it
		}
		if err != nil {
			return nil, &LineError{n, err}
		}
		if ch, differs := CompareAt(was, is, subject); differs {
			ch.Place = line
			all = append(all, ch)
		}
	}
	return all, scanner.Err()
}

package openid

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/setting"
)

// documents reads the provider's JSON documents.
type documents struct{ client *http.Client }

// maxDocument bounds the size of one document.
const maxDocument = 1 << 20

// get reads one document and bypasses caches, so that replaced keys arrive at once. The client bounds its time.
// bearer is an access token, or empty.
func (d documents) get(ctx context.Context, address, bearer string) (text []byte, status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Cache-Control", "no-cache")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := d.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer res.Body.Close()
	text, err = io.ReadAll(io.LimitReader(res.Body, maxDocument+1))
	if len(text) > maxDocument {
		err = dependency.ErrTooLarge
	}
	return trimBOM(text), res.StatusCode, err
}

// trimBOM removes the byte order mark that some servers write before JSON. RFC 8259, section 8.1, lets a reader ignore
// it.
func trimBOM(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\ufeff")) }

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// clip bounds the length of text from outside in a log line.
func clip(text string) string { return setting.Truncate(text, 200) }

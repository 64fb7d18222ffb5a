package hubspot

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
)

// memoryTransport is a transport without sockets and with one host. A handler that panics looks like a lost connection.
type memoryTransport struct{ handler http.Handler }

func (m memoryTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != apiHost {
		panic("a call to " + r.URL.Host)
	}
	answer, cut := httptest.NewRecorder(), make(chan any, 1)
	go func() {
		defer func() { cut <- recover() }()
		call := r.Clone(r.Context())
		if call.Body == nil {
			call.Body = http.NoBody
		}
		m.handler.ServeHTTP(answer, call)
	}()
	select {
	case fault := <-cut:
		if fault != nil {
			return nil, io.ErrUnexpectedEOF
		}
		return gunzip(answer.Result())
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

const apiHost = "hubspot.test"

// gunzip decompresses a response like http.Transport.
func gunzip(res *http.Response) (*http.Response, error) {
	if res.Header.Get("Content-Encoding") != "gzip" {
		return res, nil
	}
	plain, err := gzip.NewReader(res.Body)
	if err != nil {
		return nil, err
	}
	res.Body = plain
	return res, nil
}

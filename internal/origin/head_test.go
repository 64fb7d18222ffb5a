package origin

import (
	"bufio"
	"bytes"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestHeadMatchesNetHTTP(t *testing.T) {
	t.Parallel()
	req := &http.Request{
		Method: "GET", Host: "www.example.com", ProtoMajor: 1, ProtoMinor: 1,
		URL: &url.URL{Scheme: "https", Host: "origin.example", Opaque: "/a%2Fb/c", RawQuery: "x=1&y=%20"},
		Header: http.Header{
			"Accept": {"text/html", "*/*"}, "Cookie": {"a=1; b=2"}, "User-Agent": {"Browser/1"}, "X-Empty": {""},
			"X-None": {},
			"Host":   {"evil"}, "Content-Length": {"5"}, "Transfer-Encoding": {"chunked"}, "Trailer": {"X"},
		},
	}
	for _, agent := range []string{"Browser/1", ""} {
		req.Header["User-Agent"] = []string{agent}
		var theirs bytes.Buffer
		if err := req.Write(&theirs); err != nil {
			t.Fatal(err)
		}
		ours, err := appendHead(nil, req)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := lines(string(ours)), lines(theirs.String()); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func lines(head string) []string {
	all := strings.SplitAfter(head, "\r\n")
	slices.Sort(all[1:])
	return all
}

func TestHeadRejectsInjection(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*http.Request){
		"value":       func(r *http.Request) { r.Header["X-A"] = []string{"1\r\nX-B: 2"} },
		"bare LF":     func(r *http.Request) { r.Header["X-A"] = []string{"1\nX-B: 2"} },
		"NUL":         func(r *http.Request) { r.Header["X-A"] = []string{"\x00"} },
		"name":        func(r *http.Request) { r.Header["X-A: 1\r\nX-B"] = []string{"2"} },
		"empty name":  func(r *http.Request) { r.Header[""] = []string{"2"} },
		"host":        func(r *http.Request) { r.Host = "a\r\nX-B: 2" },
		"target":      func(r *http.Request) { r.URL.Opaque = "/ HTTP/1.1\r\nX-B: 2" },
		"query":       func(r *http.Request) { r.URL.RawQuery = "a b" },
		"query of LF": func(r *http.Request) { r.URL.RawQuery = "a\nb" },
	} {
		r := &http.Request{Method: "GET", Host: "h", URL: &url.URL{Opaque: "/"}, Header: http.Header{}}
		if change(r); true {
			if head, err := appendHead(nil, r); err == nil {
				t.Errorf("%s: %q", name, head)
			}
		}
	}
}

// FuzzHead checks that a written head is parsed as what was meant.
func FuzzHead(f *testing.F) {
	f.Add("/a?b", "example.com", "X-A", "1")
	f.Add("//a", "", "Cookie", "a=\x80")
	f.Add("/", "h", "X\r\nY", "1\r\n\r\nGET / HTTP/1.1")
	f.Fuzz(func(t *testing.T, target, host, name, value string) {
		in := &http.Request{Method: "GET", Host: host, URL: &url.URL{Opaque: target},
			Header: http.Header{name: {value}}}
		head, err := appendHead(nil, in)
		if err != nil {
			return
		}
		r := bufio.NewReader(bytes.NewReader(head))
		out, err := http.ReadRequest(r)
		if err != nil {
			return // net/http's parser is stricter
		}
		if r.Buffered() > 0 || out.ContentLength > 0 || len(out.TransferEncoding) > 0 {
			t.Fatalf("%q: more than a head", head)
		}
		delete(out.Header, "Connection")
		if len(out.Header) > 1 || (len(out.Header) == 1 && reflect.DeepEqual(out.Header, http.Header{})) {
			t.Fatalf("%q: %v", head, out.Header)
		}
		for got, values := range out.Header {
			if !strings.EqualFold(got, name) || len(values) != 1 || values[0] != strings.Trim(value, " \t") {
				t.Fatalf("%q: %s: %q", head, got, values)
			}
		}
	})
}

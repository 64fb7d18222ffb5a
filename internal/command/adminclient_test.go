package command

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/internal/admin"
)

// Only an admin listener's refusals are shown: another server's answer says nothing about the command.
func TestAdminClientRecognizesAdminListener(t *testing.T) {
	t.Parallel()
	listener := (&admin.Server{
		Audit: slog.New(slog.DiscardHandler), Listen: "127.0.0.1:9090", Token: func() string { return "right" },
		Registry: prometheus.NewRegistry(),
	}).Handler()
	for name, c := range map[string]struct {
		handler http.Handler
		want    string
	}{
		"an admin listener": {listener, "the token was rejected"},
		"an admin listener under a name that it does not accept": {
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Host = "admin.example.com"
				listener.ServeHTTP(w, r)
			}),
			admin.WrongHost,
		},
		"a website": {
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<!doctype html>") }),
			"is not an admin listener",
		},
		"another API": {
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"version":"1.0"}`) }),
			"is not an admin listener",
		},
	} {
		server := httptest.NewServer(c.handler)
		t.Cleanup(server.Close)
		client := &AdminClient{server.URL, "wrong"}
		err := client.Call(t.Context(), http.MethodGet, "/config", nil, &[]string{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

// A redirect, such as the public listener's to https, would pass on the command and its body.
func TestAdminClientFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the redirect was followed: %s %s", r.Method, r.URL)
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(target.Close)
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(listener.Close)
	client := &AdminClient{listener.URL, "token"}
	err := client.Call(t.Context(), http.MethodPost, "/api/contacts/forget", map[string]string{"email": "a@b.example"},
		&map[string]any{})
	if err == nil || !strings.Contains(err.Error(), "is not an admin listener") {
		t.Error(err)
	}
}

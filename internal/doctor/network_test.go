package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hubgate/hubgate/auth/fakecognito"
	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/proxy/fakesite"
)

// network is the network of a doctor: a handler for each host. A host without one is unreachable.
type network map[string]http.Handler

func (n network) RoundTrip(r *http.Request) (*http.Response, error) {
	h := n[r.URL.Host]
	if h == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	response := httptest.NewRecorder()
	response.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	call := r.Clone(r.Context())
	if call.Body == nil {
		call.Body = http.NoBody
	}
	call.Host = r.URL.Host
	h.ServeHTTP(response, call)
	return response.Result(), nil
}

// pool is a Cognito pool with a domain on another host, and with the client of the healthy configuration.
func pool(t *testing.T) (idp, login http.Handler) {
	t.Helper()
	s, err := fakecognito.New(fakecognito.Config{
		URL: "https://" + poolHost, PoolID: "eu-west-1_AbCdEf123",
		Clients: []fakecognito.Client{{
			ID: "app", Secret: "secret", CallbackURLs: []string{"https://" + publicHost + "/oauth2/callback"},
			LogoutURLs: []string{"https://" + publicHost + "/oauth2/signed_out"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	document := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response := httptest.NewRecorder()
		s.ServeHTTP(response, r)
		for _, path := range []string{"/oauth2/", "/logout"} {
			body := strings.ReplaceAll(response.Body.String(), "https://"+poolHost+path, "https://"+loginHost+path)
			response.Body.Reset()
			response.Body.WriteString(body)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(response.Body.Bytes())
	})
	return only("/openid-configuration", document, s), s
}

func responds(status int, body string, header ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
}

// healthy returns a doctor of a configuration without faults, and its network.
func healthy(idp, login http.Handler) (*doctor, network) {
	cfg := config.Default()
	cfg.Server.PublicURLs = []string{"https://" + publicHost}
	cfg.Proxy.Origin, cfg.Proxy.Default = "https://"+originHost, "public"
	cfg.Auth.UserPool, cfg.Auth.ClientID, cfg.Auth.ClientSecret = "eu-west-1_AbCdEf123", "app", "secret"
	cfg.Session.Redis.Mode = "embedded"
	cfg.HubSpot.AccessToken, cfg.HubSpot.HubID = "pat-na1-x", 4711
	cfg.HubSpot.Contacts.Properties = map[string]mapping.Property{"firstname": {Claim: "given_name"}}
	n := network{
		poolHost: idp, loginHost: login,
		originHost: fakesite.New(fakesite.Config{HubID: 4711, PublicHost: publicHost}),
		"api.hubapi.com": fakehubspot.New(
			fakehubspot.Config{FaultPercent: fakehubspot.NoFaults, HubID: 4711, Token: "pat-na1-x"},
		),
		publicHost: responds(http.StatusUnauthorized, "{}", "Content-Type", "application/problem+json"),
	}
	d := newDoctor(cfg)
	d.network = n
	d.lookup = func(context.Context, string) (string, []string, error) {
		return publicHost, []string{"203.0.113.5"}, nil
	}
	d.dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("connection refused") }
	return d, n
}

func tokenError(code string) http.Handler {
	return responds(http.StatusBadRequest, `{"error":"`+code+`"}`, "Content-Type", "application/json")
}

// only serves one path with h and all others with rest.
func only(path string, h, rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, path) {
			h.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

func TestNetworkCauseIsShort(t *testing.T) {
	t.Parallel()
	dial := func(err error) error {
		return fmt.Errorf("hubspot: write contacts: %w", &net.OpError{Op: "dial", Net: "tcp", Err: err})
	}
	for want, err := range map[string]error{
		"connection refused":  dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)),
		"no response in time": fmt.Errorf("hubspot: read contacts: %w", context.DeadlineExceeded),
		"the name api.example cannot be resolved (no such host)": dial(
			&net.DNSError{Name: "api.example", Err: "no such host"}),
		"the connection was closed": fmt.Errorf("hubspot: %w", io.EOF),
		"other":                     dial(errors.New("other")),
		"":                          errors.New("hubspot: the response lacks portalId"),
	} {
		if got := networkCause(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

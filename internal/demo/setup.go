package demo

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hubgate/hubgate/auth/fakecognito"
	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/proxy/fakesite"
)

// setup is the configuration of a demo: the ports, and secrets that are created for each run.
type setup struct {
	Config
	secrets map[string]string // by the name of their file
}

const (
	poolID   = "us-east-1_DEMO12345"
	clientID = "demo-client"
)

func newSetup(cfg Config) *setup {
	return &setup{Config: cfg, secrets: map[string]string{
		"client_secret": rand.Text(), "access_token": "pat-na1-" + rand.Text(), "admin_token": rand.Text(),
		"session_key": seal.NewKey(),
	}}
}

func (s *setup) gatewayURL() string  { return fmt.Sprintf("http://localhost:%d", s.Base) }
func (s *setup) providerURL() string { return fmt.Sprintf("http://127.0.0.1:%d", s.Base+1) }
func (s *setup) hubspotURL() string  { return fmt.Sprintf("http://127.0.0.1:%d", s.Base+2) }
func (s *setup) adminURL() string    { return "http://" + s.adminListen() }
func (s *setup) adminListen() string { return fmt.Sprintf("127.0.0.1:%d", s.Base+3) }

// listenAt returns the address of a port that browsers use.
func (s *setup) listenAt(port int) netip.AddrPort { return netip.AddrPortFrom(s.Bind, uint16(port)) }

// listen opens the ports of the fakes.
func (s *setup) listen() ([]fake, error) {
	cognito, err := fakecognito.New(fakecognito.Config{
		URL: s.providerURL(), PoolID: poolID, Rotate: true, RotationGrace: time.Minute,
		Clients: []fakecognito.Client{{
			ID: clientID, Secret: s.secrets["client_secret"],
			CallbackURLs: []string{s.gatewayURL() + "/oauth2/callback"},
			LogoutURLs:   []string{s.gatewayURL() + "/oauth2/signed_out"},
		}},
	})
	if err != nil {
		return nil, err
	}
	provider, err := listenFake(s.listenAt(s.Base+1), cognito)
	if err != nil {
		return nil, err
	}
	hubspot, err := listenFake(s.listenAt(s.Base+2), s.hubspot())
	if err != nil {
		provider.listener.Close()
		return nil, err
	}
	return []fake{provider, hubspot}, nil
}

// hubspot serves the site and the API on one port. Requests for the site have the header X-HS-Public-Host.
func (s *setup) hubspot() http.Handler {
	api := fakehubspot.New(fakehubspot.Config{
		Token: s.secrets["access_token"], Pages: s.pages(), Redirects: redirects(),
	})
	addCustomers(api)
	site, people := fakesite.New(fakesite.Config{}), people(api)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-HS-Public-Host") != "":
			site.ServeHTTP(w, r)
		case r.URL.Path == "/people":
			people.ServeHTTP(w, r)
		default:
			api.ServeHTTP(w, r)
		}
	})
}

// pages returns the pages of the site as the content API lists them.
func (s *setup) pages() (list []fakehubspot.Page) {
	next := map[string]int{"site": 101, "landing": 201, "post": 301}
	for _, p := range fakesite.Pages() {
		list = append(list, fakehubspot.Page{
			ID: strconv.Itoa(next[p.Kind]), Name: p.Title, Slug: strings.TrimPrefix(p.Path, "/"), URL: s.gatewayURL() + p.Path,
			CurrentState: "PUBLISHED", CurrentlyPublic: true, Kind: p.Kind,
		})
		next[p.Kind]++
	}
	return list
}

func redirects() (list []fakehubspot.Redirect) {
	for i, r := range fakesite.Redirects() {
		list = append(list, fakehubspot.Redirect{ID: strconv.Itoa(401 + i), From: r.From, To: r.To, Style: r.Status})
	}
	return list
}

// writeConfig writes the configuration and the files of its secrets.
func (s *setup) writeConfig(folder string) (path string, err error) {
	for name, secret := range s.secrets {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(secret+"\n"), 0o600); err != nil {
			return "", err
		}
	}
	path = filepath.Join(folder, "hubgate.yaml")
	return path, os.WriteFile(path, []byte(s.yaml()), 0o600)
}

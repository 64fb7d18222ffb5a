package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/certs"
	"github.com/hubgate/hubgate/internal/setting"
)

// TLSConfig says who ends TLS, and with which certificates.
type TLSConfig struct {
	Mode       string                 `yaml:"mode" json:"mode"` // none | files | acme
	CertFile   string                 `yaml:"cert_file" json:"cert_file"`
	KeyFile    string                 `yaml:"key_file" json:"key_file"`
	ACME       ACMEConfig             `yaml:"acme" json:"acme"`
	HTTPListen string                 `yaml:"http_listen" json:"http_listen"`
	HSTS       setting.DurationOrNone `yaml:"hsts" json:"hsts"`
}

// ACMEConfig says from whom certificates come.
type ACMEConfig struct {
	Email        string `yaml:"email" json:"email"`
	DirectoryURL string `yaml:"directory_url" json:"directory_url"`
	Agree        bool   `yaml:"agree" json:"agree"`
}

func (t TLSConfig) validate() []setting.Problem {
	if !slices.Contains([]string{setting.None, "files", "acme"}, t.Mode) {
		return []setting.Problem{{Key: "server.tls.mode", Text: fmt.Sprintf("%q is not a valid value", setting.Shorten(t.Mode)), Cure: "write none, files or acme"}}
	}
	var problems []setting.Problem
	given := func(key, value, mode string) {
		switch {
		case t.Mode == mode && value == "":
			problems = append(problems, setting.Problem{Key: "server.tls." + key, Text: "required with mode: " + mode, Cure: "write the path of the file"})
		case t.Mode != mode && value != "":
			problems = append(problems, setting.Problem{Key: "server.tls." + key, Text: "has no effect with mode: " + t.Mode, Cure: "remove it, or set mode: " + mode})
		}
	}
	given("cert_file", t.CertFile, "files")
	given("key_file", t.KeyFile, "files")
	problems = append(problems, t.validateACME()...)
	if t.Mode == setting.None && t.HTTPListen != "" {
		problems = append(problems, setting.Problem{Key: "server.tls.http_listen", Text: "has no effect with mode: none", Cure: "remove it; server.listen is the HTTP listener"})
	}
	if t.HTTPListen != "" && !isListenAddress(t.HTTPListen) {
		problems = append(problems, badListen("server.tls.http_listen", t.HTTPListen))
	}
	return problems
}

func (t TLSConfig) validateACME() []setting.Problem {
	a := t.ACME
	var problems []setting.Problem
	if t.Mode != "acme" {
		for _, key := range []struct {
			name  string
			given bool
		}{{"email", a.Email != ""}, {"directory_url", a.DirectoryURL != ""}, {"agree", a.Agree}} {
			if key.given {
				problems = append(problems, setting.Problem{Key: "server.tls.acme." + key.name, Text: "has no effect with mode: " + t.Mode, Cure: "remove acme, or set mode: acme"})
			}
		}
		return problems
	}
	if !a.Agree {
		problems = append(problems, setting.Problem{Key: "server.tls.acme.agree", Text: "must be true with mode: acme", Cure: "read the certificate authority's terms of service, then write agree: true"})
	}
	if a.Email != "" && (strings.Count(a.Email, "@") != 1 || strings.ContainsAny(a.Email, " <>,")) {
		problems = append(problems, setting.Problem{Key: "server.tls.acme.email", Text: fmt.Sprintf("%q is not an e-mail address", setting.Shorten(a.Email)), Cure: "write one address, or remove it"})
	}
	if u, err := url.Parse(a.DirectoryURL); a.DirectoryURL != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		problems = append(problems, setting.Problem{Key: "server.tls.acme.directory_url", Text: fmt.Sprintf("%q is not an https URL", setting.Shorten(a.DirectoryURL)), Cure: "write the directory URL of the authority, or remove it for Let's Encrypt"})
	}
	return problems
}

// checkCertificate reads the certificate files, which serve needs and check therefore asks for. A reload does not: a pair that is being
// replaced keeps the last good certificate instead of refusing the configuration.
func (c ServerConfig) checkCertificate() []setting.Problem {
	if c.TLS.Mode != "files" || c.TLS.CertFile == "" || c.TLS.KeyFile == "" {
		return nil
	}
	for _, f := range []struct{ key, path string }{{"cert_file", c.TLS.CertFile}, {"key_file", c.TLS.KeyFile}} {
		if _, err := readFile(f.path); err != nil {
			cure := ReadCure(err, "create the file, or correct the path (absolute or relative to the configuration file)")
			return []setting.Problem{{Key: "server.tls." + f.key, Text: "the file cannot be read: " + err.Error(), Cure: cure}}
		}
	}
	files, err := certs.NewFiles(c.TLS.CertFile, c.TLS.KeyFile)
	if err != nil {
		return []setting.Problem{{Key: "server.tls.cert_file", Text: strings.TrimPrefix(err.Error(), "certs: "),
			Cure: "write a PEM file with the certificate followed by its chain, and the matching key in key_file"}}
	}
	return CertificateWarnings(files, c)
}

// CertificateWarnings are what browsers do not like about a certificate.
func CertificateWarnings(files *certs.Files, c ServerConfig) []setting.Problem {
	var problems []setting.Problem
	if _, end := files.NotAfter(); time.Now().After(end) {
		problems = append(problems, setting.Problem{Key: "server.tls.cert_file", Warning: true, Text: "the certificate expired at " + end.UTC().Format(time.RFC3339), Cure: "renew it"})
	}
	for _, host := range c.HostNames() {
		if files.Covers(host) != nil {
			problems = append(problems, setting.Problem{Key: "server.tls.cert_file", Warning: true, Text: "the certificate does not cover " + host, Cure: "use one that covers every public host and every host in redirect_from"})
		}
	}
	return problems
}

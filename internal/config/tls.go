package config

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// TLSConfig is the section server.tls: where TLS ends, and with which certificates.
type TLSConfig struct {
	Mode       string                 `yaml:"mode" json:"mode"` // none | files | acme
	CertFile   string                 `yaml:"cert_file" json:"cert_file"`
	KeyFile    string                 `yaml:"key_file" json:"key_file"`
	ACME       ACMEConfig             `yaml:"acme" json:"acme"`
	HTTPListen string                 `yaml:"http_listen" json:"http_listen"`
	HSTS       setting.DurationOrNone `yaml:"hsts" json:"hsts"`
}

// ACMEConfig is the section server.tls.acme: the authority that issues certificates (RFC 8555).
type ACMEConfig struct {
	Email        string `yaml:"email" json:"email"`
	DirectoryURL string `yaml:"directory_url" json:"directory_url"` // empty = Let's Encrypt
	Agree        bool   `yaml:"agree" json:"agree"`                 // to the authority's terms of service
}

func (t TLSConfig) validate() []setting.Problem {
	if bad := setting.CheckWord("server.tls.mode", t.Mode, setting.None, "files", "acme"); bad != nil {
		return bad
	}
	problems := append(t.validateFile("cert_file", t.CertFile), t.validateFile("key_file", t.KeyFile)...)
	problems = append(problems, t.validateACME()...)
	if t.Mode == setting.None && t.HTTPListen != "" {
		problems = append(problems, setting.Mistake("server.tls.http_listen", "has no effect with mode: none",
			"remove it; server.listen is the HTTP listener")...)
	}
	if t.HTTPListen != "" {
		problems = append(problems, validateListen("server.tls.http_listen", t.HTTPListen)...)
	}
	return problems
}

// validateFile checks that a file is set in mode files, and only then.
func (t TLSConfig) validateFile(key, path string) []setting.Problem {
	switch {
	case t.Mode == "files" && path == "":
		return setting.Mistake("server.tls."+key, "required with mode: files", "write the path of the file")
	case t.Mode != "files" && path != "":
		return setting.Mistake("server.tls."+key, "has no effect with mode: "+t.Mode, "remove it, or set mode: files")
	}
	return nil
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
				problems = append(problems, setting.Mistake("server.tls.acme."+key.name, "has no effect with mode: "+t.Mode,
					"remove acme, or set mode: acme")...)
			}
		}
		return problems
	}
	if !a.Agree {
		problems = append(problems, setting.Mistake("server.tls.acme.agree", "must be true with mode: acme",
			"read the certificate authority's terms of service, then write agree: true")...)
	}
	if a.Email != "" && (strings.Count(a.Email, "@") != 1 || strings.ContainsAny(a.Email, " <>,")) {
		problems = append(problems, setting.Mistake("server.tls.acme.email",
			fmt.Sprintf("%q is not an e-mail address", setting.Shorten(a.Email)), "write one address, or remove it")...)
	}
	u, err := url.Parse(a.DirectoryURL)
	if a.DirectoryURL != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		problems = append(problems, setting.Mistake("server.tls.acme.directory_url",
			fmt.Sprintf("%q is not an https URL", setting.Shorten(a.DirectoryURL)),
			"write the directory URL of the authority, or remove it for Let's Encrypt")...)
	}
	return problems
}

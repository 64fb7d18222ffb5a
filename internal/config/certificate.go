package config

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/certs"
	"github.com/hubgate/hubgate/internal/config/source"
	"github.com/hubgate/hubgate/internal/setting"
)

// checkCertificate reads the certificate files that serve opens at its start. A reload does not call it: while a pair
// is being replaced, the last good certificate stays in use.
func (c ServerConfig) checkCertificate() []setting.Problem {
	if c.TLS.Mode != "files" || c.TLS.CertFile == "" || c.TLS.KeyFile == "" {
		return nil
	}
	for _, f := range []struct{ key, path string }{{"cert_file", c.TLS.CertFile}, {"key_file", c.TLS.KeyFile}} {
		if _, err := readFile(f.path); err != nil {
			return setting.Mistake("server.tls."+f.key, "the file cannot be read: "+err.Error(),
				source.ReadCure(err, source.MissingFileCure))
		}
	}
	files, err := certs.NewFiles(c.TLS.CertFile, c.TLS.KeyFile)
	if err != nil {
		return setting.Mistake("server.tls.cert_file", strings.TrimPrefix(err.Error(), "certs: "),
			"write a PEM file with the certificate followed by its chain, and the matching key in key_file")
	}
	return CertificateWarnings(files, c)
}

// CertificateWarnings returns why browsers would reject a certificate.
func CertificateWarnings(files *certs.Files, c ServerConfig) []setting.Problem {
	var problems []setting.Problem
	if _, end := files.NotAfter(); time.Now().After(end) {
		problems = append(problems, warning("server.tls.cert_file",
			"the certificate expired at "+end.UTC().Format(time.RFC3339), "renew it")...)
	}
	for _, host := range c.HostNames() {
		if files.Covers(host) != nil {
			problems = append(problems, warning("server.tls.cert_file", "the certificate does not cover "+host,
				"use one that covers every public host and every host in redirect_from")...)
		}
	}
	return problems
}

// readFile reads a regular file of at most maxConfig bytes.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", path)
	}
	if err != nil {
		return nil, err
	}
	return source.ReadBounded(path, maxConfig)
}

// Package certs gives the public listener its certificates: from files that are read again when they change, or from an ACME
// authority through certificates, locks and challenges shared in Redis, sealed, by all replicas.
package certs

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// Files serves one certificate from a pair of PEM files. Handshakes may go on while it is read again.
type Files struct {
	hosts   hosts
	current atomic.Pointer[loaded]
}

type loaded struct {
	certFile, keyFile string
	certificate       *tls.Certificate
	pem               []byte
}

// NewFiles reads the pair; it fails when the files cannot be read or do not belong together.
func NewFiles(certFile, keyFile string) (*Files, error) {
	f := &Files{}
	if _, err := f.Use(certFile, keyFile); err != nil {
		return nil, err
	}
	return f, nil
}

// Reload reads the pair again. On an error, a pair that is half written say, the last good certificate stays.
func (f *Files) Reload() (changed bool, err error) {
	now := f.current.Load()
	return f.Use(now.certFile, now.keyFile)
}

// Use serves another pair from now on; on an error the last good certificate stays, and the names of its files.
func (f *Files) Use(certFile, keyFile string) (changed bool, err error) {
	certPEM, err := os.ReadFile(certFile)
	if err != nil {
		return false, fmt.Errorf("certs: %w", err)
	}
	keyPEM, err := os.ReadFile(keyFile)
	if err != nil {
		return false, fmt.Errorf("certs: %w", err)
	}
	all := append(append([]byte{}, certPEM...), keyPEM...)
	now := f.current.Load()
	if now != nil && bytes.Equal(now.pem, all) {
		f.current.Store(&loaded{certFile, keyFile, now.certificate, all})
		return false, nil
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return false, fmt.Errorf("certs: %s and %s: %w", certFile, keyFile, err)
	}
	if pair.Leaf == nil {
		return false, errors.New("certs: " + certFile + " holds no certificate")
	}
	f.current.Store(&loaded{certFile, keyFile, &pair, all})
	return true, nil
}

// SetHosts says for which hosts the certificate is shown although it does not name them: the browser then tells the visitor.
func (f *Files) SetHosts(names []string) { f.hosts.set(names) }

// NotAfter is when the certificate ends, and its name.
func (f *Files) NotAfter() (name string, end time.Time) {
	leaf := f.current.Load().certificate.Leaf
	if len(leaf.DNSNames) > 0 {
		return leaf.DNSNames[0], leaf.NotAfter
	}
	return leaf.Subject.CommonName, leaf.NotAfter
}

// Covers tells whether the certificate is for the host.
func (f *Files) Covers(host string) error {
	return f.current.Load().certificate.Leaf.VerifyHostname(host)
}

// TLS is the listener's configuration: TLS 1.2 or newer, HTTP/2 first, the certificate as of each handshake. Who asks for a host that is
// not served here gets no certificate; who names none, a health check say, gets it.
func (f *Files) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.ServerName != "" && !f.hosts.has(hello.ServerName) && f.Covers(hello.ServerName) != nil {
				return nil, nil // the alert unrecognized_name
			}
			return f.current.Load().certificate, nil
		},
	}
}

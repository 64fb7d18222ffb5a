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

// Files serves one certificate from a pair of PEM files. It is safe for concurrent use.
type Files struct {
	hosts   hosts
	current atomic.Pointer[loaded]
}

type loaded struct {
	certFile, keyFile string
	certificate       *tls.Certificate
	pem               []byte
}

// NewFiles reads the pair. It fails if a file cannot be read or they do not match.
func NewFiles(certFile, keyFile string) (*Files, error) {
	f := &Files{}
	if _, err := f.Use(certFile, keyFile); err != nil {
		return nil, err
	}
	return f, nil
}

// Reload reads the pair again. On an error, such as a half-written file, the last good certificate stays in use.
func (f *Files) Reload() (changed bool, err error) {
	now := f.current.Load()
	return f.Use(now.certFile, now.keyFile)
}

// Use switches to another pair. On an error the last good certificate and its file names stay in use.
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
		return false, errors.New("certs: " + certFile + " has no certificate")
	}
	f.current.Store(&loaded{certFile, keyFile, &pair, all})
	return true, nil
}

// SetHosts sets the hosts that get the certificate even if it does not name them, so that the browser reports the
// mismatch to the visitor.
func (f *Files) SetHosts(names []string) { f.hosts.set(names) }

// NotAfter returns the certificate's name and expiry.
func (f *Files) NotAfter() (name string, end time.Time) {
	leaf := f.current.Load().certificate.Leaf
	if len(leaf.DNSNames) > 0 {
		return leaf.DNSNames[0], leaf.NotAfter
	}
	return leaf.Subject.CommonName, leaf.NotAfter
}

// Covers returns an error unless the certificate is valid for the host.
func (f *Files) Covers(host string) error {
	return f.current.Load().certificate.Leaf.VerifyHostname(host)
}

// TLS returns the listener's configuration: TLS 1.2 or newer, HTTP/2 first, and the current certificate for each
// handshake. Clients that ask for an unknown host get no certificate. Clients without SNI, such as health checks, get
// it.
func (f *Files) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.ServerName != "" && !f.hosts.has(hello.ServerName) && f.Covers(hello.ServerName) != nil {
				return nil, nil // sends the alert unrecognized_name
			}
			return f.current.Load().certificate, nil
		},
	}
}

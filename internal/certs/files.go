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

// Files serves one certificate from a pair of PEM files. It is safe for concurrent use.
type Files struct {
	certFile, keyFile string
	current           atomic.Pointer[loaded]
}

type loaded struct {
	certificate *tls.Certificate
	pem         []byte
}

// NewFiles reads the pair; it fails when the files cannot be read or do not belong together.
func NewFiles(certFile, keyFile string) (*Files, error) {
	f := &Files{certFile: certFile, keyFile: keyFile}
	if _, err := f.Reload(); err != nil {
		return nil, err
	}
	return f, nil
}

// Reload reads the pair again. On an error, a pair that is half written say, the last good certificate stays.
func (f *Files) Reload() (changed bool, err error) {
	certPEM, err := os.ReadFile(f.certFile)
	if err != nil {
		return false, fmt.Errorf("certs: %w", err)
	}
	keyPEM, err := os.ReadFile(f.keyFile)
	if err != nil {
		return false, fmt.Errorf("certs: %w", err)
	}
	all := append(append([]byte{}, certPEM...), keyPEM...)
	if now := f.current.Load(); now != nil && bytes.Equal(now.pem, all) {
		return false, nil
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return false, fmt.Errorf("certs: %s and %s: %w", f.certFile, f.keyFile, err)
	}
	if pair.Leaf == nil {
		return false, errors.New("certs: " + f.certFile + " holds no certificate")
	}
	f.current.Store(&loaded{&pair, all})
	return true, nil
}

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

// TLS is the listener's configuration: TLS 1.2 or newer, HTTP/2 first, the certificate as of each handshake.
func (f *Files) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return f.current.Load().certificate, nil
		},
	}
}

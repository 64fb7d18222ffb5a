// Package certs provides the certificates of the public listener: from files, or from an ACME authority (RFC 8555).
// It knows when files have changed and when a certificate must be renewed. With ACME, all replicas share certificates,
// locks and challenges in Redis, sealed with the key ring.
// It never replaces a working certificate with one that cannot be used, and never orders one for a host that the
// configuration does not name.
package certs

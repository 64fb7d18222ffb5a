package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"syscall"
)

// networkCause returns why a call got no response, in a few words; "" if it got one. The text of the error begins with
// the function, the network and the address, which operators do not search for.
func networkCause(err error) string {
	var (
		name    *net.DNSError
		refused syscall.Errno
		trust   *tls.CertificateVerificationError
		signer  x509.UnknownAuthorityError
		network net.Error
		step    *net.OpError
	)
	switch {
	case errors.As(err, &name):
		return "the name " + name.Name + " cannot be resolved (" + name.Err + ")"
	case errors.As(err, &refused):
		return refused.Error()
	case errors.As(err, &signer):
		return "its certificate is signed by an unknown authority; is there a proxy that reads TLS?"
	case errors.As(err, &trust):
		return trust.Err.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "no response in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	case errors.As(err, &step):
		return step.Err.Error()
	}
	return ""
}

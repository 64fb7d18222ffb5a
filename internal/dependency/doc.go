// Package dependency provides the HTTP clients for the services that hubgate depends on, and their probes.
// It knows how long each call may take and how large its response may be, records metrics by dependency and operation
// (WithOp), and probes dependencies that do not respond. internal/origin records its metrics here, too.
// It never follows a redirect and never skips the verification of a certificate.
// Of hubgate's packages it imports only background.
package dependency

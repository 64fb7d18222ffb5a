// Package testservice decides what a test does when a program that it needs is not installed.
// The test is skipped on a developer's machine, and fails where HUBGATE_TEST_SERVICES lists the service.
// It neither installs nor starts anything, and imports no other package of hubgate.
package testservice

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Need returns the path of a program. If it is not installed, the test is skipped, or fails if HUBGATE_TEST_SERVICES, a
// list with commas, contains the service.
func Need(t testing.TB, service, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	Lack(t, service, program+" is not installed")
	return ""
}

// Lack skips a test that needs a service, or fails it if HUBGATE_TEST_SERVICES contains the service.
func Lack(t testing.TB, service, why string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("HUBGATE_TEST_SERVICES"), ","), service) {
		t.Fatalf("%s, but HUBGATE_TEST_SERVICES contains %s", why, service)
	}
	t.Skipf("%s; this test needs it", why)
}

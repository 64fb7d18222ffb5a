// Package cli is the command line: one file for each subcommand, which parses flags, calls the package that does the
// work, and prints the result as text or JSON.
//
// It knows exit statuses, colours and the admin API's client. It never decides, computes or loads by itself what a
// web page could show too: that is in internal/config, internal/site, internal/doctor and proxy.
package cli

// Package cli is the command line: one file for each subcommand, which parses flags, calls the package that does the
// work, and prints the result as text or JSON.
//
// What the subcommands share is in internal/command. It does not compute what a web page could show too: that is in
// internal/config, internal/site, internal/doctor and proxy/rules.
package cli

// Package contacts is the subcommand "contacts" of the command line: one file for each of its own subcommands, which
// show and change the contact queue of a running gateway, set up HubSpot, and import people from a file.
package contacts

// Package command contains what all subcommands of the command line share: the environment, exit statuses and usage
// errors, flags such as --config and --output, visible text and JSON, messages, and the client of the admin API.
package command

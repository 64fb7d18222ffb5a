// Package edit changes a configuration file as text, so that comments and everything else in it stay the same.
package edit

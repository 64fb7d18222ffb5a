// Package starter writes the first configuration of a site: what `hubgate init` asks, and the files that follow from
// the answers.
package starter

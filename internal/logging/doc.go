// Package logging writes the log: JSON or text lines with a component and the request's id, through bounded buffers.
//
// It owns the log section of the configuration, and knows how e-mail addresses are hidden. It never makes a caller wait
// for a slow reader: lines that do not fit into the buffer are counted and reported, and audit lines are dropped last.
package logging

// Package pattern parses the path patterns of rules. It finds the patterns that match a path, compares patterns with
// one another, and suspects what the author of a pattern meant to match as well.
//
// It knows nothing of rules and visitors. Its patterns match the canonical paths of package urlpath.
package pattern

// Package pattern is the path of a rule: how a pattern is parsed, which paths it matches, how two patterns relate, and
// what its author probably meant.
//
// It knows nothing of rules and visitors. Its patterns match the canonical paths of package urlpath.
package pattern

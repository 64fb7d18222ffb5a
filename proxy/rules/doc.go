// Package rules decides who may see which page. A Set is compiled once from the configuration and never changes: it
// matches a path, decides by a session, explains a decision, compares itself with another Set, and finds mistakes.
//
// Matching and deciding use no clock, no storage and no network. Package pattern knows what a rule's path matches;
// requirement.go holds everything that is known about its other keys.
package rules

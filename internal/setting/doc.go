// Package setting has the types that hubgate's configuration consists of: values of the YAML file (Duration, Size,
// Secret, Words), Problem, a mistake in the configuration, and Finding, the result of a check.
// It knows how each value is written and read. Each type decodes from one scalar (see Word); none wraps a struct, so
// that the loader checks every key strictly. A Secret never shows its value unless Reveal is called.
// It imports no other package of hubgate.
package setting

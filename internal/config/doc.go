// Package config loads, checks and edits the YAML file: expansion of ${...}, strict decoding, validation across
// sections, the JSON Schema, and rules added with comments kept.
//
// It alone knows YAML nodes, lines and columns, and reports each mistake with its place and its cure. It never opens
// a connection, and the packages whose Config structs it fills never import it.
package config

// Package source reads what a configuration is made of: files, also those that are unavailable for the moment, and the
// values that ${NAME} and ${file:PATH} insert into it. It rejects characters that a person cannot see.
package source

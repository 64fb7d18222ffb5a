// Package schema describes every key of the YAML file in one table, and generates from it and from the structs that the
// loader fills: the JSON Schema, with which editors complete, explain and check the file, and config.example.yaml.
// Defaults are those of the loader, so that neither file can promise another one.
package schema

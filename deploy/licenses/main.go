package main

import (
	"flag"
	"fmt"
	"os"
)

const output = "THIRD_PARTY_LICENSES"

func main() {
	flag.Parse()
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "licenses:", err)
		os.Exit(1)
	}
}

// write writes the file into the working directory, the top of the repository.
func write() error {
	modules, err := list(".")
	if err != nil {
		return err
	}
	text, err := document(modules)
	if err != nil {
		return err
	}
	return os.WriteFile(output, text, 0o644)
}

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
)

// options are the flags.
type options struct {
	root, layout string // one of them is set: the folder for the files, or for the layout
	platforms    string
	version      string
	authorities  string
}

func main() {
	var o options
	flag.StringVar(&o.root, "root", "", "write only the files of the image for one platform into this folder")
	flag.StringVar(&o.layout, "layout", "", "write an OCI image layout into this folder")
	flag.StringVar(&o.platforms, "platforms", "linux/amd64,linux/arm64", "platforms of the image")
	flag.StringVar(&o.version, "version", "", "version of a build without version control, such as v1.2.3")
	flag.StringVar(&o.authorities, "ca", "/etc/ssl/certs/ca-certificates.crt", "certificate authorities to trust (PEM)")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func (o options) run() error {
	platforms := strings.Split(o.platforms, ",")
	switch {
	case flag.NArg() > 0 || (o.root == "") == (o.layout == ""):
		return errors.New("required: -root FOLDER or -layout FOLDER")
	case o.layout != "":
		return o.writeLayout(platforms)
	case len(platforms) != 1:
		return errors.New("-root needs one platform, such as -platforms linux/amd64")
	}
	_, err := o.writeFiles(o.root, platforms[0])
	return err
}

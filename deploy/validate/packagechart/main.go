// Command packagechart packages the Helm chart of a release, as helm package does. It is here because this module has
// Helm as a dependency, whose checksum is in go.sum.
package main

import (
	"flag"
	"fmt"
	"log"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
)

func main() {
	log.SetFlags(0)
	version := flag.String("version", "", "tag of the release, such as v1.2.3")
	folder := flag.String("to", "", "folder for the package, which must exist")
	flag.Parse()
	path, err := save("../helm/hubgate", strings.TrimPrefix(*version, "v"), *folder)
	if err != nil {
		log.Fatal("packagechart: ", err)
	}
	fmt.Println(path)
}

// save packages a chart. Chart and image have the same version. The chart's links to the rules and the dashboard become
// files.
func save(source, version, folder string) (path string, err error) {
	chart, err := loader.LoadDir(source)
	if err != nil {
		return "", err
	}
	chart.Metadata.Version, chart.Metadata.AppVersion = version, version
	return chartutil.Save(chart, folder)
}

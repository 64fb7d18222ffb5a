package main

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// elsewhere are the functions that may start goroutines by themselves in packages that serve visitors, and why.
// Everything else belongs to internal/background, which recovers panics and ends before the handler returns: one that
// is not recovered ends the process, and so does one that touches a ResponseWriter whose handler has returned.
var elsewhere = map[string]string{
	"proxy/stricthttp NewListener":        "the accept loop of a TLS listener: process-long",
	"proxy/stricthttp tlsListener.accept": "a handshake, before there is a request: recovered",
	"proxy Gate.modify":                   "internal/background's own Work.Go",
	"proxy Gate.redecide":                 "likewise",

	"internal/origin pool.scheduleSweep": "sweeps idle connections, which belong to no request; each probe is recovered",
	"internal/origin conn.exchange":      "closes the connection to the origin when its request is canceled",
	"internal/origin Transport.connect":  "a dial that goes on for others when its request is canceled: recovered",

	"internal/lease Lease.KeepAlive": "renews a lease, which belongs to no request: recovered",
	"session Manager.Run":            "process-long: each part is kept running",
	"session refresher.refreshIfDue": "a refresh, which goes on for the others when a request ends: recovered",
	"internal/redisread Batcher.Get": "sends to Redis what several requests ask, and is no one request's",

	"auth claims.wait":               "polls Redis for a login's result, for all who wait for it: recovered",
	"auth/openid discovery.discover": "a discovery, which continues for others when a request is canceled: recovered",
	"auth/openid keySet.refresh":     "fetches keys, likewise: recovered",

	"hubspot/access Access.Run":  "process-long: each part is kept running",
	"hubspot Contacts.Run":       "process-long: the gauges of the contact queue, kept running",
	"hubspot Contacts.work":      "process-long: the contact worker",
	"internal/logging NewWriter": "process-long: the writer of the log",

	"internal/gateway catchSignals":   "process-long",
	"internal/demo run":               "process-long: the demo's servers",
	"internal/doctor doctor.diagnose": "a command, not a server",
	"internal/gateway drainer.drain":  "the end of the process",
	"internal/gateway gateway.run":    "process-long: each part is kept running",
	"internal/gateway gateway.serve":  "process-long",
	"internal/gateway newFolders":     "process-long: watches files",
	"internal/gateway Serve":          "process-long",

	"internal/command Env.Finish":      "the end of the process",
	"internal/command Env.ReadLine":    "a read of the terminal, which ends with the process",
	"internal/redisclient readAny":     "a probe of Redis, which belongs to no request",
	"internal/redisclient Probe.query": "a probe of Redis, which belongs to no request",
}

// started finds what a file runs in other goroutines: go statements, time.AfterFunc, context.AfterFunc, the Go and
// TryGo of groups and singleflight's DoChan. It names the functions around them.
func started(file *ast.File) (found []string) {
	for _, decl := range file.Decls {
		name := "the package"
		if f, ok := decl.(*ast.FuncDecl); ok {
			name = f.Name.Name
			if f.Recv != nil {
				name = receiver(f.Recv.List[0].Type) + "." + name
			}
		}
		ast.Inspect(decl, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				found = append(found, name)
			case *ast.SelectorExpr: // called, or only named, to be called by another name
				if n.Sel.Name == "Go" || n.Sel.Name == "TryGo" || n.Sel.Name == "DoChan" {
					found = append(found, name)
				}
			case *ast.Ident: // after a dot, or of a package that is imported by one
				if n.Name == "AfterFunc" {
					found = append(found, name)
				}
			}
			return true
		})
	}
	return found
}

func receiver(expr ast.Expr) string {
	switch t := expr.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return "?"
}

func TestGoroutinesOfVisitorsAreRecoveredAndJoined(t *testing.T) {
	t.Parallel()
	const format = `{{.ImportPath}} {{.Dir}}`
	out, err := exec.Command("go", "list", "-f", format, module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	unused := maps.Clone(elsewhere)
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], module+"/")
		if floors[pkg] < 0 || pkg == "bench" {
			continue
		}
		for _, file := range sources(t, fields[1]) {
			for _, function := range started(file) {
				key := pkg + " " + function
				if _, ok := elsewhere[key]; !ok {
					t.Errorf("%s starts a goroutine: use internal/background, or give a reason here", key)
				}
				delete(unused, key)
			}
		}
	}
	for key := range unused {
		t.Errorf("%s starts no goroutine any more", key)
	}
}

// sources are the files of a package, without its tests.
func sources(t *testing.T, folder string) (files []*ast.File) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(gotoken.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

func TestGoroutinesAreFoundByEveryName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		source string
		want   int
	}{
		"go":                     {"func f() { go g() }", 1},
		"go in a literal":        {"var f = func() { go g() }", 1},
		"an alias of time":       {`import clock "time"; func (x *T) f() { clock.AfterFunc(0, g) }`, 1},
		"context's":              {`import "context"; func f() { defer context.AfterFunc(ctx, g)() }`, 1},
		"by another name":        {`import "time"; func f() { later := time.AfterFunc; later(0, g) }`, 1},
		"imported by a dot":      {`import . "time"; func f() { AfterFunc(0, g) }`, 1},
		"a group's":              {`import "sync"; func f() { var all sync.WaitGroup; all.Go(g) }`, 1},
		"a group's, as a value":  {`func f() { run := group.Go; run(g) }`, 1},
		"a shared call":          {`func f() { <-flight.DoChan("", g) }`, 1},
		"a group's, if it may":   {`func f() { group.TryGo(g) }`, 1},
		"a shared call, in line": {`func f() { flight.Do("", g) }`, 0},
		"a timer of a channel":   {`import "time"; func f() { <-time.NewTimer(0).C }`, 0},
		"nothing of the kind":    {"func f() { g() }; func going() {}", 0},
		"background's own timer": {`func f() { work.After(0, g) }`, 0},
	} {
		file, err := parser.ParseFile(gotoken.NewFileSet(), "f.go", "package p; "+c.source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(started(file)); got != c.want {
			t.Errorf("%s: %d are found", name, got)
		}
	}
}

package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notRun lists the programs whose commands the documents show and this test does not run.
var notRun = map[string]string{
	"${EDITOR:-nano}": "waits for the reader",
	".":               "reads the reader's own secrets",
	"apt":             "installs packages",
	"awk":             "makes values of the chart, which deploy/validate reads",
	"aws":             "asks the reader's own account",
	"cd":              "only changes the folder",
	"curl":            "asks the reader's own site",
	"docker":          "needs a container engine",
	"gh":              "asks GitHub about a release",
	"git":             "downloads the repository",
	"helm":            "changes the reader's own cluster",
	"install":         "writes to the system's folders",
	"kubectl":         "changes the reader's own cluster",
	"openssl":         "prints a random value",
	"printf":          "writes the reader's own secrets",
	"redis-cli":       "asks the reader's own Redis",
	"redis-server":    "TestReadmeLeadsToALogin runs it",
	"rm":              "removes the reader's own secrets",
	"set":             "reads the reader's own secrets",
	"sha256sum":       "reads the files of a release",
	"systemctl":       "needs systemd",
	"terraform":       "asks the reader's own account",
}

// namedOnly lists the commands that a sentence names without what they need: only their flags are looked up.
var namedOnly = []string{"hubgate explain", "hubgate explain --claims FILE", "hubgate init --template cloudformation"}

// documentedStatus lists the commands that end with another exit status than 0, as their page says.
var documentedStatus = map[string]int{
	"hubgate pages --config hubgate.yaml --probe": 3, // the demo's origin shows protected pages to everyone
	"go run ./cmd/hubgate demo":                   1, // go run reports an interrupt as a failure
}

// command is a command line of a document.
type command struct {
	line   string // without comment, and with hubgate for ./hubgate
	place  string
	inline bool // named in a sentence, where --config may be left out
}

// program is the first word after the environment.
func (c command) program() string {
	for _, word := range strings.Fields(c.line) {
		if !assignment.MatchString(word) {
			return word
		}
	}
	return ""
}

var (
	assignment    = regexp.MustCompile(`^[A-Z_]+=`)
	trailer       = regexp.MustCompile(`\s+# .*$`)
	inlineCode    = regexp.MustCompile("`([^`]+)`")
	inlineCommand = regexp.MustCompile(`^(?:[A-Z_]+=\S+ )*(?:(?:\./)?hubgate|go|docker) [a-z]`)
)

// documentedCommands returns the command lines of shell blocks and those in prose and tables, each once.
func documentedCommands(t *testing.T) []command {
	t.Helper()
	var all []command
	add := func(line, place string, inline bool) {
		line = strings.TrimPrefix(line, "./")
		if !slices.ContainsFunc(all, func(c command) bool { return c.line == line }) {
			all = append(all, command{line, place, inline})
		}
	}
	for _, document := range documents(t) {
		found, prose := blocks(t, document)
		for _, b := range found {
			if b.language != "sh" {
				continue
			}
			for i, line := range strings.Split(b.text, "\n") {
				if line = trailer.ReplaceAllString(strings.TrimSpace(line), ""); line != "" {
					add(line, fmt.Sprintf("%s:%d", document, b.line+i), false)
				}
			}
		}
		for _, at := range inlineCode.FindAllStringSubmatchIndex(prose, -1) {
			line := strings.ReplaceAll(prose[at[2]:at[3]], "\n", " ")
			if inlineCommand.MatchString(line) {
				add(line, fmt.Sprintf("%s:%d", document, strings.Count(prose[:at[2]], "\n")+1), true)
			}
		}
	}
	return all
}

func TestSubcommandsAreDocumented(t *testing.T) {
	t.Parallel()
	_, help := shell(t, t.TempDir(), binary+" --help")
	_, list, _ := strings.Cut(help, "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	commands := documentedCommands(t)
	for line := range strings.Lines(list) {
		name := "hubgate " + strings.Fields(line)[0]
		if name == "hubgate completion" || name == "hubgate help" {
			continue
		}
		if !slices.ContainsFunc(commands, func(c command) bool { return strings.Contains(c.line, name) }) {
			t.Errorf("no document shows %s", name)
		}
	}
}

func TestDocumentedCommandsAreOfKnownPrograms(t *testing.T) {
	t.Parallel()
	used := map[string]int{}
	named := map[string]bool{}
	for _, c := range documentedCommands(t) {
		used[c.program()]++
		named[c.line] = true
		if c.program() != "hubgate" && c.program() != "go" && notRun[c.program()] == "" {
			t.Errorf("%s: %q is neither run nor listed in notRun", c.place, c.line)
		}
	}
	for program := range notRun {
		if used[program] == 0 {
			t.Errorf("notRun lists %s, which no document has", program)
		}
	}
	for _, line := range namedOnly {
		if !named[line] {
			t.Errorf("namedOnly lists %q, which no document has", line)
		}
	}
	if used["hubgate"] < 20 || used["go"] < 8 {
		t.Errorf("too few commands found: %v", used)
	}
}

// TestDocumentedHubgateCommandsRun runs each command as it is written, in a folder with the hubgate.yaml that its page
// speaks of.
func TestDocumentedHubgateCommandsRun(t *testing.T) {
	t.Parallel()
	o := newReader(t)
	for _, c := range documentedCommands(t) {
		if c.program() != "hubgate" {
			continue
		}
		if c.inline && slices.Contains(namedOnly, c.line) {
			o.knows(c)
			continue
		}
		if c.inline && !strings.Contains(c.line, "--config") && strings.Contains(o.help(c), "--config") {
			c.line += " --config hubgate.yaml"
		}
		if status, out := o.run(c.line); status != documentedStatus[c.line] {
			t.Errorf("%s: %s: exit status %d, want %d\n%s", c.place, c.line, status, documentedStatus[c.line], out)
		}
	}
}

// TestDocumentedGoCommandsRun builds what the documents build. Tests and measurements would run for minutes, and tools
// would be downloaded and installed: for these it checks that packages compile and that names exist.
func TestDocumentedGoCommandsRun(t *testing.T) {
	t.Parallel()
	built := t.TempDir()
	for _, c := range documentedCommands(t) {
		if c.program() != "go" {
			continue
		}
		if c.line == "go run ./cmd/hubgate demo" {
			line := fmt.Sprintf("%s --base-port %d", c.line, freePorts(t, 4))
			if status, out := untilReady(t, "..", line, "Ctrl-C stops it"); status != documentedStatus[c.line] {
				t.Errorf("%s: %s: exit status %d\n%s", c.place, c.line, status, out)
			}
			continue
		}
		line, needsTest := shortened(c.line, built)
		status, out := shell(t, "..", line)
		if status != 0 || needsTest && !listedTest.MatchString(out) {
			t.Errorf("%s: %s: run as %s: exit status %d\n%s", c.place, c.line, line, status, out)
		}
	}
}

var (
	listedTest  = regexp.MustCompile(`(?m)^(?:Test|Benchmark)`)
	testPattern = regexp.MustCompile(`-(?:run|bench) (\S+)`)
	testPackage = regexp.MustCompile(`\./\S+`)
	withHelp    = regexp.MustCompile(`^go run \./(?:bench [a-z]+|deploy/[a-z]+)`)
	moduleTool  = regexp.MustCompile(`go (?:tool|install) -modfile=(\S+) (\S+)`)
)

// shortened returns a command that checks the same names and packages in seconds, and whether it must list a test.
func shortened(line, built string) (short string, needsTest bool) {
	if pattern := testPattern.FindStringSubmatch(line); pattern != nil {
		return "go test -list " + pattern[1] + " " + testPackage.FindString(line), true
	}
	if tool := moduleTool.FindStringSubmatch(line); tool != nil {
		return fmt.Sprintf(`go mod edit -json %s | grep -i '%s"'`, tool[1], tool[2]), false
	}
	switch {
	case strings.Contains(line, "go test "):
		return "go vet " + testPackage.FindString(line), false
	case withHelp.MatchString(line):
		return withHelp.FindString(line) + " -h", false
	default:
		return strings.Replace(line, "-o hubgate ", "-o "+built+"/hubgate ", 1), false
	}
}

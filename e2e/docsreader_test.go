package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// reader follows the documents on a machine where the demo runs. It works in three folders, each with a hubgate.yaml:
// the README's smallest configuration, the running demo, and a second gateway beside the demo.
type reader struct {
	t                     *testing.T
	smallest, demo, other string
}

var (
	demoFile = regexp.MustCompile(`Configuration +(\S+)`)
	// offline commands read hubgate.yaml, or nothing, and send no requests.
	offline = regexp.MustCompile(`^hubgate (?:check|diff|explain|keygen|schema|version)\b`)
)

// newReader starts the demo and logs one person in twice: the documents end sessions by ID and by user.
func newReader(t *testing.T) *reader {
	t.Helper()
	d := startDemo(t)
	for range 2 {
		alice := newVisitor(t)
		alice.login(alice.open(d.site+"/members/"), "alice@example.com")
	}
	t.Cleanup(func() { d.terminate() }) // it then removes its folder
	r := &reader{t: t, smallest: t.TempDir(), other: t.TempDir()}
	r.demo = filepath.Dir(demoFile.FindStringSubmatch(d.out.String())[1])
	overwrite(t, filepath.Join(r.smallest, "hubgate.yaml"), smallestConfiguration(t))
	overwrite(t, filepath.Join(r.smallest, "new.yaml"), smallestConfiguration(t))
	overwrite(t, filepath.Join(r.other, "hubgate.yaml"), r.otherPorts())
	overwrite(t, filepath.Join(r.demo, "people.csv"), documentedPeople(t))
	overwrite(t, filepath.Join(r.demo, "users.json"), `{"Users": []}`)
	for _, folder := range []string{r.smallest, r.demo, r.other} {
		if err := os.Symlink(binary, filepath.Join(folder, "hubgate")); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// documentedPeople returns the file of people that a document shows.
func documentedPeople(t *testing.T) string {
	t.Helper()
	files := documentedBlocks(t, "csv")
	if len(files) != 1 {
		t.Fatalf("the documents show %d files of people", len(files))
	}
	return files[0].text
}

var listenAddress = regexp.MustCompile(`(listen: "127\.0\.0\.1:)\d+`)

// otherPorts copies the demo's secrets and returns its configuration with other listeners.
func (r *reader) otherPorts() string {
	r.t.Helper()
	if err := os.CopyFS(filepath.Join(r.other, "demo"), os.DirFS(r.demo)); err != nil {
		r.t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(r.demo, "hubgate.yaml"))
	if err != nil {
		r.t.Fatal(err)
	}
	port := freePorts(r.t, 2)
	changed := listenAddress.ReplaceAllStringFunc(string(text), func(listen string) string {
		port++
		return listenAddress.FindStringSubmatch(listen)[1] + strconv.Itoa(port-1)
	})
	return strings.ReplaceAll(changed, "${file:", "${file:demo/")
}

// run runs a command and returns its exit status and what it printed.
func (r *reader) run(line string) (int, string) {
	r.t.Helper()
	switch {
	case strings.HasPrefix(line, "hubgate serve"):
		return untilReady(r.t, r.other, line, `"msg":"serving"`)
	case strings.HasPrefix(line, "hubgate init"):
		return r.initialize(line)
	case strings.HasPrefix(line, "hubgate demo"):
		return untilReady(r.t, r.other, fmt.Sprintf("%s --base-port %d", line, freePorts(r.t, 4)), "Ctrl-C stops it")
	case offline.MatchString(line) && !strings.Contains(line, "--live"):
		return shell(r.t, r.smallest, line)
	}
	if strings.Contains(line, " end ID ") {
		line = strings.Replace(line, "ID", r.session(), 1)
	}
	return shell(r.t, r.demo, line)
}

// initialize runs init in a new folder, because it replaces no file, and checks what it wrote.
func (r *reader) initialize(line string) (int, string) {
	r.t.Helper()
	folder := r.t.TempDir()
	if err := os.Symlink(binary, filepath.Join(folder, "hubgate")); err != nil {
		r.t.Fatal(err)
	}
	if status, out := shell(r.t, folder, line); status != 0 {
		return status, out
	}
	return shell(r.t, folder, "COGNITO_CLIENT_ID=client hubgate check --strict --no-secrets")
}

// session returns the ID of a session at the demo.
func (r *reader) session() string {
	r.t.Helper()
	_, out := shell(r.t, r.demo, "hubgate sessions list --output json --config hubgate.yaml")
	var list struct{ Sessions []struct{ ID string } }
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
	if len(list.Sessions) == 0 {
		r.t.Fatal("no visitor is logged in to the demo")
	}
	return list.Sessions[0].ID
}

var subcommand = regexp.MustCompile(`^hubgate(?: [a-z]+)+(?: |$)`)

// help returns the help of the subcommand that a command names.
func (r *reader) help(c command) string {
	r.t.Helper()
	name := strings.TrimSpace(subcommand.FindString(c.line))
	_, out := shell(r.t, r.smallest, name+" --help")
	if !strings.Contains(out, "\n  "+name+" ") {
		r.t.Errorf("%s: there is no %s", c.place, name)
	}
	return out
}

// knows checks that a subcommand and the flags in a line exist.
func (r *reader) knows(c command) {
	r.t.Helper()
	help := r.help(c)
	for _, word := range strings.Fields(c.line) {
		if strings.HasPrefix(word, "--") && !strings.Contains(help, word+" ") {
			r.t.Errorf("%s: there is no flag %s", c.place, word)
		}
	}
}

// inShell prepares a command line for sh, with the folder's own hubgate first in the path.
func inShell(t *testing.T, folder, line string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), slices.Concat(secrets, []string{"PATH=" + folder + ":" + os.Getenv("PATH")})...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// shell runs a command line and returns its exit status and what it printed.
func shell(t *testing.T, folder, line string) (int, string) {
	t.Helper()
	cmd := inShell(t, folder, line)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// untilReady runs a command that serves, and interrupts it as Ctrl-C does when it has printed that it is ready.
func untilReady(t *testing.T, folder, line, ready string) (int, string) {
	t.Helper()
	cmd := inShell(t, folder, "exec "+line)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var printed strings.Builder
	interrupted := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		printed.WriteString(lines.Text() + "\n")
		if !interrupted && strings.Contains(lines.Text(), ready) {
			interrupted = true
			syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
		}
	}
	cmd.Wait()
	if !interrupted {
		t.Errorf("%s did not print %q", line, ready)
	}
	return cmd.ProcessState.ExitCode(), printed.String()
}

package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/configtest"
)

var (
	logCall  = regexp.MustCompile(`(?s)[lL]og(?:\(g\.log\))?\.(?:Info|Warn|Error|Debug)(?:Context)?\((.*?)\n\t*\}`)
	logField = regexp.MustCompile(`, "([a-z_0-9]+)",`)
)

// TestLogFieldsAreDocumented reads the source. The end-to-end tests check the lines that are really written.
func TestLogFieldsAreDocumented(t *testing.T) {
	t.Parallel()
	doc := configtest.Read(t, "docs", "logs.md")
	calls := 0
	err := filepath.WalkDir(root, func(file string, _ fs.DirEntry, err error) error {
		isSource := strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go")
		if err != nil || !isSource || strings.Contains(file, "e2e/") {
			return err
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, call := range logCall.FindAllStringSubmatch(string(source), -1) {
			calls++
			for _, field := range logField.FindAllStringSubmatch(call[1], -1) {
				if !strings.Contains(doc, "`"+field[1]+"`") {
					t.Errorf("%s logs %q, which docs/logs.md does not name", file, field[1])
				}
			}
		}
		return nil
	})
	if err != nil || calls < 30 {
		t.Errorf("only %d calls were found, %v", calls, err)
	}
}

package edit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/proxy/rules"
)

// NewRule is a rule to add to a configuration file.
type NewRule struct {
	Pattern string
	Host    string // the only host on which the rule applies; "" = all
	Comment string // at the end of its first line
}

// Rules is a change of a file's rules.
type Rules struct {
	Add    []NewRule
	Verify func(*config.Config, *rules.Set) error // rejects a file that is valid but not what was meant
}

// AddRules adds rules to the file as lines of text. Everything else in it stays the same, including comments. The new
// file is validated before it replaces the old one.
func AddRules(path string, getenv func(string) string, edit Rules) error {
	var lines []string
	for _, r := range edit.Add {
		lines = append(lines, "- path: "+strconv.Quote(r.Pattern)+"  # "+strings.Join(strings.Fields(r.Comment), " "))
		if r.Host != "" {
			lines = append(lines, "  hosts: ["+strconv.Quote(r.Host)+"]")
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	changed, err := insertRules(text, lines)
	if err != nil {
		return err
	}
	return replaceConfig(path, getenv, changed, edit.Verify)
}

var errByHand = errors.New("cannot add to rules in this YAML style; add them by hand")

// insertRules inserts lines after the last rule of the list proxy.rules.
func insertRules(text []byte, lines []string) ([]byte, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil || len(root.Content) == 0 {
		return nil, errByHand
	}
	all := strings.SplitAfter(string(text), "\n")
	section := member(root.Content[0], "proxy")
	if section == nil || section.Kind != yaml.MappingNode || section.Style&yaml.FlowStyle != 0 {
		return nil, errByHand
	}
	list := member(section, "rules")
	at, indent := section.Line-1, section.Column-1
	switch {
	case list == nil: // the section's first key is at section.Line
		lines = append([]string{"rules:"}, prefixed(lines, "  ")...)
	case len(list.Content) == 0 && (list.Tag == "!!null" || list.Kind == yaml.SequenceNode) && list.Alias == nil:
		at, indent = list.Line, section.Column+1
		all[at-1] = strings.Replace(all[at-1], "[]", "", 1)
	case list.Kind != yaml.SequenceNode || list.Style&yaml.FlowStyle != 0 || len(list.Content) == 0:
		return nil, errByHand
	default:
		at, indent = lastLine(list), list.Column-1
	}
	if at > len(all) {
		return nil, errByHand
	}
	var out bytes.Buffer
	out.WriteString(strings.Join(all[:at], ""))
	if at > 0 && !strings.HasSuffix(all[at-1], "\n") {
		out.WriteByte('\n')
	}
	for _, line := range prefixed(lines, strings.Repeat(" ", indent)) {
		out.WriteString(line + "\n")
	}
	out.WriteString(strings.Join(all[at:], ""))
	return out.Bytes(), nil
}

func prefixed(lines []string, by string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = by + line
	}
	return out
}

func member(mapping *yaml.Node, name string) *yaml.Node {
	if mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i+1]
		}
	}
	return nil
}

func lastLine(n *yaml.Node) int {
	last := n.Line
	for _, child := range n.Content {
		last = max(last, lastLine(child))
	}
	return last
}

// replaceConfig validates the new text in the folder of the old file, where its relative paths are the same, and then
// replaces the file. If path is a symbolic link, it replaces the file that the link leads to.
func replaceConfig(
	path string, getenv func(string) string, text []byte, verify func(*config.Config, *rules.Set) error,
) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(target)
	if err != nil {
		return err
	}
	trial, err := writeBeside(path, text, info.Mode().Perm())
	if err != nil {
		return err
	}
	defer os.Remove(trial)
	cfg, ruleSet, err := config.LoadRules(trial, getenv)
	if err != nil {
		// Not wrapped, because it is not an *Error of path.
		return fmt.Errorf("the file was not changed, because the new rules make it invalid:\n%v", err)
	}
	if err := verify(cfg, ruleSet); err != nil {
		return fmt.Errorf("the file was not changed, because the new rules do not protect the page: %w", err)
	}
	next, err := writeBeside(target, text, info.Mode().Perm())
	if err != nil {
		return err
	}
	defer os.Remove(next)
	return os.Rename(next, target)
}

// writeBeside writes a text to a new file in the folder of another.
func writeBeside(path string, text []byte, mode os.FileMode) (name string, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".hubgate-*.yaml")
	if err != nil {
		return "", err
	}
	_, err = file.Write(text)
	return file.Name(), errors.Join(err, file.Chmod(mode), file.Close())
}

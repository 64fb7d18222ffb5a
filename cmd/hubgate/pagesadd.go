package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/proxy"
)

// addRules writes a rule for each page into the file, as lines of text: everything else in it stays as it is, comments and all. The
// new file is judged before it takes the old one's place.
func addRules(e *env, path string, pages []pageRow, ids []string) (added []string, err error) {
	var lines []string
	var wanted []pageRow
	for _, id := range ids {
		i := slices.IndexFunc(pages, func(p pageRow) bool { return p.ID == id })
		if i < 0 {
			return nil, usageError(fmt.Sprintf("--add: HubSpot has no page %q", shorten(id)))
		}
		p := pages[i]
		switch {
		case p.Decision == "elsewhere":
			return nil, usageError(fmt.Sprintf("--add: page %s is on no public host of the gateway", id))
		case p.protected():
			fmt.Fprintf(e.stderr, "page %s (%s) needs a login already\n", id, p.Address)
			continue
		}
		wanted = append(wanted, p)
		pattern := "/" // the home page alone: below it is the whole site
		if page := pathOf(p.Address); page != "" {
			pattern = page + "/**"
		}
		if slices.Contains(added, pattern) {
			continue // another variant of the same page
		}
		lines = append(lines, "- path: "+strconv.Quote(pattern)+"  # "+strings.Join(strings.Fields(p.Name), " "))
		added = append(added, pattern)
	}
	if len(lines) == 0 {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	changed, err := insertRules(text, lines)
	if err != nil {
		return nil, err
	}
	return added, replaceConfig(e, path, changed, func(cfg *Config) error { return cfg.protects(wanted) })
}

// protects reports whether pages need a login: a more specific rule may be there that opens one of them.
func (c *Config) protects(pages []pageRow) error {
	rules, _ := proxy.NewRules(c.Proxy, c.rulesEnv())
	for _, p := range pages {
		if now := c.pageRow(rules, p.Page); !now.protected() {
			return fmt.Errorf("page %s (%s) would stay %s by rule %q; change that rule by hand", p.ID, p.Address,
				now.Decision, now.Rule.Name)
		}
	}
	return nil
}

var errByHand = errors.New("the file's rules are written in a way that cannot be added to; add them by hand")

// insertRules puts lines behind the last rule of the list proxy.rules.
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
	rules := member(section, "rules")
	at, indent := section.Line-1, section.Column-1
	switch {
	case rules == nil: // the section's first key is at section.Line
		lines = append([]string{"rules:"}, prefixed(lines, "  ")...)
	case len(rules.Content) == 0 && (rules.Tag == "!!null" || rules.Kind == yaml.SequenceNode) && rules.Alias == nil:
		at, indent = rules.Line, section.Column+1
		all[at-1] = strings.Replace(all[at-1], "[]", "", 1)
	case rules.Kind != yaml.SequenceNode || rules.Style&yaml.FlowStyle != 0 || len(rules.Content) == 0:
		return nil, errByHand
	default:
		at, indent = lastLine(rules), rules.Column-1
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

// replaceConfig judges the new text beside the old file, where its relative paths mean the same, and then puts it in its place: in that
// of the file, when path is a link to it. suits says what else the new one must be.
func replaceConfig(e *env, path string, text []byte, suits func(*Config) error) error {
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
	cfg, rep := loadConfig(trial, e.getenv)
	if rep.failed() {
		return fmt.Errorf("with the new rules the file would not be right, and it was not changed:\n%s", (&configError{rep}).Error())
	}
	if err := suits(cfg); err != nil {
		return fmt.Errorf("with the new rules the file would not be right, and it was not changed: %w", err)
	}
	next, err := writeBeside(target, text, info.Mode().Perm())
	if err != nil {
		return err
	}
	defer os.Remove(next)
	return os.Rename(next, target)
}

// writeBeside writes a text into a new file in the folder of another one.
func writeBeside(path string, text []byte, mode os.FileMode) (name string, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".hubgate-*.yaml")
	if err != nil {
		return "", err
	}
	_, err = file.Write(text)
	return file.Name(), errors.Join(err, file.Chmod(mode), file.Close())
}

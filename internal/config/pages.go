package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/internal/config/source"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

// crossPages loads the folder of custom pages, so that check reports what would stop serve.
func crossPages(c *Config) []setting.Problem {
	isError := func(p setting.Problem) bool { return !p.Warning }
	if c.Pages.Folder == "" || slices.ContainsFunc(c.Pages.Validate(), isError) {
		return nil
	}
	if _, err := page.New(c.Pages); err != nil {
		text := strings.ReplaceAll(strings.TrimPrefix(err.Error(), "pages: "), "\n", ", and ")
		return setting.Mistake("pages.folder", text, "fix it, or remove pages.folder")
	}
	return nil
}

// checkPageAddresses warns about addresses on the pages that only logged-in visitors can open: the pages are for those
// who are not.
func (c *Config) checkPageAddresses(ruleSet *rules.Set) []setting.Problem {
	var problems setting.Problems
	for _, a := range []struct{ key, address, what string }{
		{"pages.logo", c.Pages.Logo, "the image does not show on pages for visitors who are not logged in"},
		{"pages.support", c.Pages.Support, "visitors who cannot log in do not reach it"},
	} {
		x, err := ruleSet.Explain(c.Server.Sites(), rules.Question{Address: a.address})
		if a.address == "" || err != nil || x.Decision == string(rules.Public) {
			continue
		}
		by := ""
		if x.Rule != nil && x.Rule.Line > 0 {
			by = fmt.Sprintf(", as rule %s (line %d) demands", setting.Quote(x.Rule.Path), x.Rule.Line)
		}
		problems.Warn(a.key, setting.Quote(a.address)+" is not public"+by+": "+a.what,
			"add a rule with access: public for it, or write another address")
	}
	return problems
}

// commentedColor matches the comment that YAML makes of a color without quotes.
var commentedColor = regexp.MustCompile(`^#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3})?\b`)

// checkColor reports a color that has no effect, because it is not in quotes.
func (d *decoder) checkColor(key, value *yaml.Node, l location) {
	if l.key != "pages.accent" && l.key != "pages.accent_dark" || value.Tag != "!!null" {
		return
	}
	if meant := commentedColor.FindString(key.LineComment); meant != "" {
		d.fail(l, meant+" is a comment, because it is not in quotes", `write "`+meant+`", in quotes`)
	}
}

// maxPagesFile limits the files of the folder that are watched for changes. The limit of page.New is lower.
const maxPagesFile = 1 << 20

// hashPages adds the folder of custom pages to the configuration's hash, so that a change there causes a reload.
func (c *Config) hashPages(e *source.Expander) {
	entries, err := os.ReadDir(c.Pages.Folder)
	if err != nil {
		e.NoteLocal(err)
		return // there is no folder, or crossPages reports the error
	}
	for _, entry := range entries {
		file := filepath.Join(c.Pages.Folder, entry.Name())
		e.Files = append(e.Files, file)
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() || info.Size() > maxPagesFile {
			continue
		}
		if text, err := os.ReadFile(file); err != nil {
			e.NoteLocal(err)
		} else {
			fmt.Fprintf(e.Hash, "%d:%s%d:%s", len(entry.Name()), entry.Name(), len(text), text)
		}
	}
}

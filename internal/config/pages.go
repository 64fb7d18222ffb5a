package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/internal/setting"
)

// crossPages loads the folder of custom pages, so that check reports what would stop serve.
func crossPages(c *Config) []setting.Problem {
	if c.Pages.Folder == "" || len(c.Pages.Validate()) > 0 {
		return nil
	}
	if _, err := page.New(c.Pages); err != nil {
		return setting.Mistake("pages.folder", strings.TrimPrefix(err.Error(), "pages: "), "fix it, or remove pages.folder")
	}
	return nil
}

// maxPagesFile limits the files of the folder that are watched for changes. The limit of page.New is lower.
const maxPagesFile = 1 << 20

// hashPages adds the folder of custom pages to the configuration's hash, so that a change there causes a reload.
func (c *Config) hashPages(e *expander) {
	entries, err := os.ReadDir(c.Pages.Folder)
	if err != nil {
		e.noteLocal(err)
		return // there is no folder, or crossPages reports the error
	}
	for _, entry := range entries {
		file := filepath.Join(c.Pages.Folder, entry.Name())
		e.files = append(e.files, file)
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() || info.Size() > maxPagesFile {
			continue
		}
		if text, err := os.ReadFile(file); err != nil {
			e.noteLocal(err)
		} else {
			fmt.Fprintf(e.hash, "%d:%s%d:%s", len(entry.Name()), entry.Name(), len(text), text)
		}
	}
}

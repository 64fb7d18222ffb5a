package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/internal/setting"
)

// crossPages finds out whether the folder of own pages is there and fits: what serve would refuse, check must name.
func crossPages(c *Config) []setting.Problem {
	if c.Pages.Folder == "" || len(c.Pages.Validate()) > 0 {
		return nil
	}
	if _, err := page.New(c.Pages); err != nil {
		return []setting.Problem{{Key: "pages.folder", Text: strings.TrimPrefix(err.Error(), "pages: "), Cure: "fix it, or remove pages.folder"}}
	}
	return nil
}

// maxPagesFile is how much of a file in the folder is looked at for changes; page.New takes less.
const maxPagesFile = 1 << 20

// noticePages makes a change in the folder of own pages a change of the configuration, so that it is read again like the file itself.
func (c *Config) noticePages(e *expander) {
	entries, err := os.ReadDir(c.Pages.Folder)
	if err != nil {
		e.noteLocal(err)
		return // none, or crossPages says what is wrong with it
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

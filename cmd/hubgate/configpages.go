package main

import (
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
		return []setting.Problem{{Key: "pages.folder", Text: strings.TrimPrefix(err.Error(), "pages: "), Cure: "mend it, or leave pages.folder out"}}
	}
	return nil
}

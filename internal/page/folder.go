package page

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// theme is the template, style sheet and languages of the pages: the embedded ones, extended or replaced by the
// operator's folder.
type theme struct {
	page      string // the template of every page
	style     string // the style sheet; the folder's is appended to the embedded one
	languages map[string]catalogue
}

// maxFile is the maximum size of each file in the folder, in bytes.
const maxFile = 256 << 10

var languageFile = regexp.MustCompile(`^([a-z]{2,3}(?:-[a-z0-9]{2,8})*)\.json$`)

func loadTheme(cfg Config) (theme, error) {
	var t theme
	var err error
	if t.languages, err = embeddedLanguages(); err != nil {
		return theme{}, err
	}
	page, err := embeddedTemplates.ReadFile("templates/page.html")
	if err != nil {
		return theme{}, err
	}
	style, err := embeddedTemplates.ReadFile("templates/style.css")
	if err != nil {
		return theme{}, err
	}
	accent, err := cfg.accentStyle()
	if err != nil {
		return theme{}, err
	}
	t.page, t.style = string(page), string(style)+accent
	if cfg.Folder == "" {
		return t, nil
	}
	return t, t.addFolder(cfg.Folder)
}

// addFolder reads page.html, style.css and LANGUAGE.json from the folder. It rejects other files, because their names
// are most likely misspelled. It skips names that begin with a dot, which Kubernetes adds to a mounted ConfigMap. The
// error has a line for each file that cannot be used.
func (t *theme) addFolder(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	var faults []error
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		text, err := readFile(filepath.Join(folder, name))
		if err != nil {
			faults = append(faults, fmt.Errorf("folder: %w", err))
		} else if err := t.add(name, text); err != nil {
			faults = append(faults, fmt.Errorf("folder: %s: %w", name, err))
		}
	}
	return errors.Join(faults...)
}

func (t *theme) add(name, text string) error {
	if name == "page.html" {
		t.page = text
		return nil
	}
	if name == "style.css" {
		t.style += "\n" + text
		return nil
	}
	match := languageFile.FindStringSubmatch(name)
	if match == nil {
		return errors.New("unknown file; expected page.html, style.css or LANGUAGE.json " +
			"(such as de.json or pt-br.json)")
	}
	own, err := parseCatalogue([]byte(text))
	if err != nil {
		return err
	}
	base, known := t.languages[match[1]]
	if !known {
		base = t.languages[fallback]
	}
	if err := own.checkKnown(base); err != nil {
		return err
	}
	t.languages[match[1]] = base.withOverrides(own)
	return nil
}

func readFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", err
	}
	if len(raw) > maxFile {
		return "", &fs.PathError{Op: "read", Path: path, Err: errors.New("larger than 256 KiB")}
	}
	return string(raw), nil
}

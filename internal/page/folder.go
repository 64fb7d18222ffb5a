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

// look is what pages are made of: the embedded parts, and what the operator's folder adds to them or puts in their place.
type look struct {
	page      string // the template of every page
	style     string // the style sheet; the folder's is added to the embedded one
	languages map[string]catalogue
}

// maxFile bounds each file of the folder.
const maxFile = 256 << 10

var languageFile = regexp.MustCompile(`^([a-z]{2,3}(?:-[a-z0-9]{2,8})*)\.json$`)

func loadLook(folder string) (look, error) {
	var l look
	var err error
	if l.languages, err = embeddedLanguages(); err != nil {
		return look{}, err
	}
	page, err := embeddedTemplates.ReadFile("templates/page.html")
	if err != nil {
		return look{}, err
	}
	style, err := embeddedTemplates.ReadFile("templates/style.css")
	if err != nil {
		return look{}, err
	}
	l.page, l.style = string(page), string(style)
	if folder == "" {
		return l, nil
	}
	return l, l.addFolder(folder)
}

// addFolder takes page.html, style.css and LANGUAGE.json from the folder. Another file is refused: most likely its name is
// misspelt. Names that begin with a dot are passed over; Kubernetes keeps such entries in a mounted ConfigMap.
func (l *look) addFolder(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		text, err := readFile(filepath.Join(folder, name))
		if err != nil {
			return fmt.Errorf("folder: %w", err)
		}
		if err := l.add(name, text); err != nil {
			return fmt.Errorf("folder: %s: %w", name, err)
		}
	}
	return nil
}

func (l *look) add(name, text string) error {
	if name == "page.html" {
		l.page = text
		return nil
	}
	if name == "style.css" {
		l.style += "\n" + text
		return nil
	}
	match := languageFile.FindStringSubmatch(name)
	if match == nil {
		return errors.New("is none of page.html, style.css and LANGUAGE.json (such as de.json or pt-br.json)")
	}
	own, err := parseCatalogue([]byte(text))
	if err != nil {
		return err
	}
	base, known := l.languages[match[1]]
	if !known {
		base = l.languages[fallback]
	}
	if err := own.checkKnown(base); err != nil {
		return err
	}
	l.languages[match[1]] = base.overlaid(own)
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

package page

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

//go:embed catalogue/*.json
var embedded embed.FS

// fallback is the complete language, which provides the texts that others lack.
const fallback = "en"

// catalogue holds all texts of the pages in one language.
type catalogue struct {
	Pages  map[Name]texts    `json:"pages"`
	Causes map[string]string `json:"causes"` // "name.cause" -> sentence
	// Details are sentences for administrators, with the keys of Causes.
	Details map[string]string `json:"details"`
	// Findings are the sentences of verdicts and tables: COLUMN.FINDING.
	Findings map[string]string `json:"findings"`
	Labels   map[Label]string  `json:"labels"`
	Words    map[string]string `json:"words"`
}

// texts are a page's heading, what happened, and what the visitor can do.
type texts struct {
	Title string `json:"title"`
	Text  string `json:"text"`
	Next  string `json:"next"`
}

// embeddedLanguages returns the embedded languages, completed from the fallback.
func embeddedLanguages() (map[string]catalogue, error) {
	files, err := embedded.ReadDir("catalogue")
	if err != nil {
		return nil, err
	}
	languages := make(map[string]catalogue, len(files))
	for _, file := range files {
		raw, err := embedded.ReadFile(path.Join("catalogue", file.Name()))
		if err != nil {
			return nil, err
		}
		c, err := parseCatalogue(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name(), err)
		}
		languages[strings.TrimSuffix(file.Name(), ".json")] = c
	}
	for tag, c := range languages {
		languages[tag] = languages[fallback].withOverrides(c)
	}
	return languages, nil
}

// parseCatalogue parses one language file. Unknown keys are errors, because a misspelled key would be ignored silently.
func parseCatalogue(raw []byte) (catalogue, error) {
	var c catalogue
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return catalogue{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return catalogue{}, errors.New("unexpected data after the closing brace")
	}
	return c, c.checkPlaceholders()
}

// withOverrides returns c with the texts that over has.
func (c catalogue) withOverrides(over catalogue) catalogue {
	merged := catalogue{
		Pages:    maps.Clone(c.Pages),
		Causes:   maps.Clone(c.Causes),
		Details:  maps.Clone(c.Details),
		Findings: maps.Clone(c.Findings),
		Labels:   maps.Clone(c.Labels),
		Words:    maps.Clone(c.Words),
	}
	maps.Copy(merged.Causes, over.Causes)
	maps.Copy(merged.Details, over.Details)
	maps.Copy(merged.Findings, over.Findings)
	maps.Copy(merged.Labels, over.Labels)
	maps.Copy(merged.Words, over.Words)
	for name, t := range over.Pages {
		base := merged.Pages[name]
		merged.Pages[name] = texts{
			Title: cmp.Or(t.Title, base.Title), Text: cmp.Or(t.Text, base.Text), Next: cmp.Or(t.Next, base.Next),
		}
	}
	return merged
}

// checkKnown rejects keys that the complete catalogue does not have.
func (c catalogue) checkKnown(complete catalogue) error {
	for _, part := range []struct {
		word       string
		has, known []string
	}{
		{"page", keys(c.Pages), keys(complete.Pages)},
		{"cause", keys(c.Causes), append(keys(complete.Causes), keys(complete.Details)...)}, // they were causes once
		{"detail", keys(c.Details), keys(complete.Details)},
		{"finding", keys(c.Findings), keys(complete.Findings)},
		{"label", keys(c.Labels), keys(complete.Labels)},
		{"word", keys(c.Words), keys(complete.Words)},
	} {
		for _, key := range part.has {
			if slices.Contains(part.known, key) {
				continue
			}
			if near := setting.Nearest(key, part.known); near != "" {
				return fmt.Errorf("unknown %s %q; did you mean %q?", part.word, key, near)
			}
			return fmt.Errorf("unknown %s %q", part.word, key)
		}
	}
	return nil
}

func keys[K ~string, V any](m map[K]V) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, string(k))
	}
	slices.Sort(list)
	return list
}

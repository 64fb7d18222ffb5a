package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/config/source"
	"github.com/hubgate/hubgate/internal/setting"
)

// Report is the result of loading a configuration: every problem with its place, in file order, and what was read.
type Report struct {
	Path     string
	Findings []finding
	Unread   error             // why the file, or one that is expanded into it, could not be read
	SHA256   string            // of the file and of what was expanded into it, except addresses to listen on
	Listen   string            // what was expanded into addresses to listen on
	Files    []string          // other files that were read: a change in one is a change in the configuration
	Secrets  map[string]string // key -> text of a secret before expansion, to read it again
	Absent   []string          // keys of the secrets that are not here and were not checked; see LoadWithoutSecrets

	concealer  source.Concealer // removes secrets from what is reported
	noSecrets  bool             // secrets may be absent
	at         map[string]place // key -> its place
	malformed  map[string]bool  // keys whose value cannot be read: problems below them are not reported
	misspelled []string         // what misspelled keys were probably meant to be: they are not reported as missing
}

// Version identifies everything that was read, also what differs between replicas. A reload compares it.
func (r *Report) Version() string { return r.SHA256 + r.Listen }

// newReport returns the empty report about a file.
func newReport(path string) *Report {
	return &Report{Path: path, Secrets: map[string]string{}, at: map[string]place{}, malformed: map[string]bool{}}
}

// place is a position in the file, counted from 1.
type place struct{ Line, Col int }

// start is the place of problems with the whole file.
var start = place{1, 1}

type finding struct {
	place
	Key, Text, Cure string
	Warning         bool
	decoding        bool // found while decoding, so that validation problems of the same value follow from it
}

// warning returns one warning as a list.
func warning(key, text, cure string) []setting.Problem {
	return []setting.Problem{{Key: key, Text: text, Cure: cure, Warning: true}}
}

// add gives a problem the place of its key, or of the nearest section that is in the file.
func (r *Report) add(p setting.Problem) {
	at := start
	for _, key := range p.Either {
		if _, there := r.at[key]; there {
			p.Key = key
			break
		}
	}
	for key := p.Key; key != ""; key = parentKey(key) {
		if found, ok := r.at[key]; ok {
			at = found
			break
		}
	}
	r.Findings = append(r.Findings, finding{place: at, Key: p.Key, Text: p.Text, Cure: p.Cure, Warning: p.Warning})
}

func (r *Report) addAll(problems []setting.Problem) {
	for _, p := range problems {
		r.add(p)
	}
}

// AddFiles adds the problems of the files that serve opens at its start.
func (r *Report) AddFiles(cfg *Config) {
	if !r.keyAbsent(cfg) {
		r.addAll(cfg.Server.checkCertificate())
	}
	r.addAll(cfg.checkCA())
	r.sort()
}

// keyAbsent reports whether the private key of the certificate is a secret that is not here, and notes it.
func (r *Report) keyAbsent(cfg *Config) bool {
	if !r.noSecrets || cfg.Server.TLS.Mode != "files" || cfg.Server.TLS.KeyFile == "" {
		return false
	}
	if _, err := readFile(cfg.Server.TLS.KeyFile); err == nil {
		return false
	}
	r.Absent = append(r.Absent, "server.tls.key_file")
	return true
}

// addAt adds an error of the decoder, which knows the place itself.
func (r *Report) addAt(at place, key, text, cure string) {
	r.Findings = append(r.Findings, finding{place: at, Key: key, Text: text, Cure: cure, decoding: true})
}

// parentKey returns a key without its last part: a["b"] -> a, a.b[2] -> a.b -> a.
func parentKey(key string) string {
	if strings.HasSuffix(key, "]") {
		if i := strings.LastIndexByte(key, '['); i >= 0 {
			return key[:i]
		}
	}
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		return key[:i]
	}
	return ""
}

// WithLines adds to each key of the file in a place, such as "HubSpot; hubspot.hub_id, proxy.origin", its line.
func (r *Report) WithLines(where string) string {
	return keyInText.ReplaceAllStringFunc(where, func(key string) string {
		if at, there := r.at[key]; there {
			return fmt.Sprintf("%s, line %d", key, at.Line)
		}
		return key
	})
}

// keyInText matches a key of a section in a text.
var keyInText = regexp.MustCompile(`[a-z_]+(\.[a-z0-9_-]+)+`)

// sort puts the findings in file order, drops those that follow from another, and conceals secrets: a value that does
// not decode fails its validation too, and its section lacks it.
func (r *Report) sort() {
	slices.SortStableFunc(r.Findings, func(a, b finding) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Col - b.Col
	})
	broken, incomplete := map[string]bool{}, r.incompleteKeys()
	var kept []finding
	for _, f := range r.Findings {
		if f.Key != "" && (broken[f.Key] || r.belowMalformed(f.Key) || !f.decoding && incomplete[f.Key]) {
			continue
		}
		if !f.Warning {
			broken[f.Key] = true
		}
		f.Text, f.Cure = r.concealer.Conceal(f.Text), r.concealer.Conceal(f.Cure)
		kept = append(kept, f)
	}
	r.Findings = kept
}

// incompleteKeys returns the keys that lack a value below them, because it does not decode or its key is misspelled.
func (r *Report) incompleteKeys() map[string]bool {
	keys := map[string]bool{}
	for _, key := range r.misspelled {
		if _, there := r.at[key]; there {
			continue
		}
		keys[key], r.malformed[key] = true, true
		for ; key != ""; key = parentKey(key) {
			keys[key] = true
		}
	}
	for _, f := range r.Findings {
		for key := parentKey(f.Key); f.decoding && key != ""; key = parentKey(key) {
			keys[key] = true
		}
	}
	return keys
}

// unclear reports whether one of the sections has mistakes, or one above it cannot be read.
func (r *Report) unclear(sections ...string) bool {
	return slices.ContainsFunc(sections, func(section string) bool {
		below := func(key string) bool { return key == section || strings.HasPrefix(key, section+".") }
		return slices.ContainsFunc(r.misspelled, below) ||
			slices.ContainsFunc(r.Findings, func(f finding) bool {
				return !f.Warning && below(f.Key) || f.decoding && f.Key != "" && strings.HasPrefix(section, f.Key+".")
			})
	})
}

// namesUnclear reports whether the names below a key are not all known, because of a mistake there or in its section: a
// name that is not among them may be meant by it. A wrong value still has its name.
func (r *Report) namesUnclear(key string) bool {
	misspelled := func(meant string) bool { return meant == key || strings.HasPrefix(key, meant+".") }
	return slices.ContainsFunc(r.misspelled, misspelled) || slices.ContainsFunc(r.Findings, func(f finding) bool {
		named := strings.HasPrefix(f.Key, key+".")
		sibling := f.Text == unknownKey && parentKey(f.Key) == parentKey(key) && strings.HasPrefix(f.Cure, "known keys")
		return !f.Warning && (sibling || f.Key == key || strings.HasPrefix(f.Key, key) && !named ||
			f.decoding && f.Key != "" && strings.HasPrefix(key, f.Key+"."))
	})
}

// unknownKey is the text about a key that its section does not have.
const unknownKey = "unknown key"

// belowMalformed reports whether a section above the key could not be read.
func (r *Report) belowMalformed(key string) bool {
	if len(r.malformed) == 0 {
		return false
	}
	for parent := parentKey(key); ; parent = parentKey(parent) {
		if r.malformed[parent] {
			return true
		}
		if parent == "" {
			return false
		}
	}
}

// Errors returns the number of errors, which are the findings that are not warnings.
func (r *Report) Errors() int {
	n := 0
	for _, f := range r.Findings {
		if !f.Warning {
			n++
		}
	}
	return n
}

// Failed reports whether the configuration must not be served.
func (r *Report) Failed() bool { return r.Errors() > 0 }

// Lines returns the findings as they are printed: FILE:LINE:COL: error: key: what is wrong; what to do.
func (r *Report) Lines() []string {
	lines := make([]string, len(r.Findings))
	for i, f := range r.Findings {
		level, key := "error", ""
		if f.Warning {
			level = "warning"
		}
		if f.Key != "" {
			key = f.Key + ": "
		}
		cure := ""
		if f.Cure != "" {
			cure = "; " + f.Cure
		}
		lines[i] = fmt.Sprintf("%s:%d:%d: %s: %s%s%s", r.Path, f.Line, f.Col, level, key, f.Text, cure)
	}
	return lines
}

// SecretNow reads a secret again if it comes from a file. If that fails, or it comes from elsewhere, it returns the
// loaded value.
func (r *Report) SecretNow(key string, loaded setting.Secret, getenv func(string) string) string {
	raw := r.Secrets[key]
	if !strings.Contains(raw, "${file:") {
		return loaded.Reveal()
	}
	if text, bad := source.NewExpander(r.Path, getenv).Expand(raw, true); bad == nil && text != "" {
		return text
	}
	return loaded.Reveal()
}

// Error is the error of a configuration that must not be served.
type Error struct{ Report *Report }

func (e *Error) Error() string { return strings.Join(e.Report.Lines(), "\n") }

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// report is what loading a configuration found: every problem with its place, in file order, and what was read.
type report struct {
	path     string
	findings []finding
	unread   error             // why the file, or one that is expanded into it, could not be read
	sha256   string            // of the file and of everything that was expanded into it
	files    []string          // further files that were read: a change of one is a change of the configuration
	at       map[string]place  // key -> where it stands
	secrets  map[string]string // key -> the text of a secret before expansion, to read it again
	shapes   map[string]bool   // keys whose value has the wrong shape: nothing below them says anything
	meant    []string          // keys that misspelt ones were probably meant to be: that they are missing says nothing
}

type place struct{ line, col int }

type finding struct {
	place
	key, text, cure string
	warning         bool
	decoding        bool // found while reading, so that what validation says of the same value follows from it
}

// add places a problem: on its key's line, else on that of the nearest section that is there, else at 1:1.
func (r *report) add(p setting.Problem) {
	at := place{1, 1}
	for key := p.Key; key != ""; key = parentKey(key) {
		if found, ok := r.at[key]; ok {
			at = found
			break
		}
	}
	r.findings = append(r.findings, finding{place: at, key: p.Key, text: p.Text, cure: p.Cure, warning: p.Warning})
}

func (r *report) addAll(problems []setting.Problem) {
	for _, p := range problems {
		r.add(p)
	}
}

// addFiles adds what is wrong with the files that serve opens at its start.
func (r *report) addFiles(cfg *Config) {
	r.addAll(cfg.Server.checkCertificate())
	r.addAll(cfg.checkCA())
	r.sort()
}

// addAt is for what the decoder finds, which knows the place itself.
func (r *report) addAt(at place, key, text, cure string) {
	r.findings = append(r.findings, finding{place: at, key: key, text: text, cure: cure, decoding: true})
}

// parentKey drops the last part of a key: a["b"] -> a, a.b[2] -> a.b -> a.
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

// sort brings the findings into file order and drops what follows from another one: a key that does not decode fails its validation as
// well, and leaves what it stands in without a value.
func (r *report) sort() {
	slices.SortStableFunc(r.findings, func(a, b finding) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return a.col - b.col
	})
	broken, hollow := map[string]bool{}, r.hollow()
	var kept []finding
	for _, f := range r.findings {
		if f.key != "" && (broken[f.key] || r.misshapen(f.key) || !f.decoding && hollow[f.key]) {
			continue
		}
		if !f.warning {
			broken[f.key] = true
		}
		kept = append(kept, f)
	}
	r.findings = kept
}

// hollow are the keys that lack something because a value below them could not be read, or stands under a misspelt key.
func (r *report) hollow() map[string]bool {
	keys := map[string]bool{}
	for _, key := range r.meant {
		if _, there := r.at[key]; there {
			continue
		}
		keys[key], r.shapes[key] = true, true
		for ; key != ""; key = parentKey(key) {
			keys[key] = true
		}
	}
	for _, f := range r.findings {
		for key := parentKey(f.key); f.decoding && key != ""; key = parentKey(key) {
			keys[key] = true
		}
	}
	return keys
}

// misshapen tells that a section above the key could not be read at all.
func (r *report) misshapen(key string) bool {
	if len(r.shapes) == 0 {
		return false
	}
	for parent := parentKey(key); ; parent = parentKey(parent) {
		if r.shapes[parent] {
			return true
		}
		if parent == "" {
			return false
		}
	}
}

// errors counts what keeps the configuration from being served.
func (r *report) errors() int {
	n := 0
	for _, f := range r.findings {
		if !f.warning {
			n++
		}
	}
	return n
}

func (r *report) failed() bool { return r.errors() > 0 }

// lines are the findings as they are printed: FILE:LINE:COL: error: key: what is wrong; what to write instead.
func (r *report) lines() []string {
	lines := make([]string, len(r.findings))
	for i, f := range r.findings {
		level, key := "error", ""
		if f.warning {
			level = "warning"
		}
		if f.key != "" {
			key = f.key + ": "
		}
		cure := ""
		if f.cure != "" {
			cure = "; " + f.cure
		}
		lines[i] = fmt.Sprintf("%s:%d:%d: %s: %s%s%s", r.path, f.line, f.col, level, key, f.text, cure)
	}
	return lines
}

// secretNow reads a secret that comes from a file again; when that fails, or it comes from elsewhere, it is as it was loaded.
func (r *report) secretNow(key string, loaded setting.Secret, getenv func(string) string) string {
	raw := r.secrets[key]
	if !strings.Contains(raw, "${file:") {
		return loaded.Reveal()
	}
	if text, bad := newExpander(r.path, getenv).expand(raw); bad == nil && text != "" {
		return text
	}
	return loaded.Reveal()
}

// configError is a configuration that cannot be served.
type configError struct{ report *report }

func (e *configError) Error() string { return strings.Join(e.report.lines(), "\n") }

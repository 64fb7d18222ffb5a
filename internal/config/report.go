package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// Report is what loading a configuration found: every problem with its place, in file order, and what was read.
type Report struct {
	Path     string
	Findings []finding
	Unread   error             // why the file, or one that is expanded into it, could not be read
	Sha256   string            // of the file and of everything that was expanded into it
	Files    []string          // further files that were read: a change of one is a change of the configuration
	at       map[string]place  // key -> where it stands
	Secrets  map[string]string // key -> the text of a secret before expansion, to read it again
	shapes   map[string]bool   // keys whose value has the wrong shape: nothing below them says anything
	meant    []string          // keys that misspelt ones were probably meant to be: that they are missing says nothing
}

type place struct{ Line, Col int }

type finding struct {
	place
	Key, Text, Cure string
	Warning         bool
	decoding        bool // found while reading, so that what validation says of the same value follows from it
}

// add places a problem: on its key's line, else on that of the nearest section that is there, else at 1:1.
func (r *Report) add(p setting.Problem) {
	at := place{1, 1}
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

// AddFiles adds what is wrong with the files that serve opens at its start.
func (r *Report) AddFiles(cfg *Config) {
	r.addAll(cfg.Server.checkCertificate())
	r.addAll(cfg.checkCA())
	r.sort()
}

// addAt is for what the decoder finds, which knows the place itself.
func (r *Report) addAt(at place, key, text, cure string) {
	r.Findings = append(r.Findings, finding{place: at, Key: key, Text: text, Cure: cure, decoding: true})
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
func (r *Report) sort() {
	slices.SortStableFunc(r.Findings, func(a, b finding) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Col - b.Col
	})
	broken, hollow := map[string]bool{}, r.hollow()
	var kept []finding
	for _, f := range r.Findings {
		if f.Key != "" && (broken[f.Key] || r.misshapen(f.Key) || !f.decoding && hollow[f.Key]) {
			continue
		}
		if !f.Warning {
			broken[f.Key] = true
		}
		kept = append(kept, f)
	}
	r.Findings = kept
}

// hollow are the keys that lack something because a value below them could not be read, or stands under a misspelt key.
func (r *Report) hollow() map[string]bool {
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
	for _, f := range r.Findings {
		for key := parentKey(f.Key); f.decoding && key != ""; key = parentKey(key) {
			keys[key] = true
		}
	}
	return keys
}

// misshapen tells that a section above the key could not be read at all.
func (r *Report) misshapen(key string) bool {
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

// Errors counts what keeps the configuration from being served.
func (r *Report) Errors() int {
	n := 0
	for _, f := range r.Findings {
		if !f.Warning {
			n++
		}
	}
	return n
}

func (r *Report) Failed() bool { return r.Errors() > 0 }

// Lines are the findings as they are printed: FILE:LINE:COL: error: key: what is wrong; what to write instead.
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

// SecretNow reads a secret that comes from a file again; when that fails, or it comes from elsewhere, it is as it was loaded.
func (r *Report) SecretNow(key string, loaded setting.Secret, getenv func(string) string) string {
	raw := r.Secrets[key]
	if !strings.Contains(raw, "${file:") {
		return loaded.Reveal()
	}
	if text, bad := newExpander(r.Path, getenv).expand(raw); bad == nil && text != "" {
		return text
	}
	return loaded.Reveal()
}

// Error is a configuration that cannot be served.
type Error struct{ Report *Report }

func (e *Error) Error() string { return strings.Join(e.Report.Lines(), "\n") }

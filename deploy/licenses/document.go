package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// section is one license text with the modules that state it.
type section struct {
	names   []string
	license string
	text    []byte
}

const preface = `hubgate contains the following third-party software. Each text applies to the modules above it.
Written by go run ./deploy/licenses; do not edit.
`

var rule = strings.Repeat("=", 100)

// document returns the text of THIRD_PARTY_LICENSES. It fails if the license of a module is missing or not approved,
// and names all of those.
func document(modules []module) ([]byte, error) {
	var sections []*section
	byText := map[[32]byte]*section{}
	var problems []error
	for _, m := range modules {
		licensed := false
		for _, path := range m.files {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			license, err := classify(m, path, text)
			if err != nil {
				problems = append(problems, err)
			}
			licensed = licensed || license != notice
			sum := sha256.Sum256(text)
			if byText[sum] == nil {
				byText[sum] = &section{license: license, text: text}
				sections = append(sections, byText[sum])
			}
			byText[sum].names = append(byText[sum].names, strings.TrimSpace(m.path+" "+m.version))
		}
		if !licensed {
			problems = append(problems, fmt.Errorf("%s %s has no license file; do not use it", m.path, m.version))
		}
	}
	return render(sections), errors.Join(problems...)
}

func render(sections []*section) []byte {
	out := bytes.NewBufferString(preface)
	for _, s := range sections {
		fmt.Fprintf(out, "\n%s\n%s\n\nLicense: %s\n\n%s\n", rule, strings.Join(s.names, "\n"), s.license,
			bytes.TrimSpace(s.text))
	}
	return out.Bytes()
}

// notice is the kind of a file that only has attributions, which the Apache License demands to pass on.
const notice = "attributions (NOTICE)"

// classify returns the approved license that a file states.
func classify(m module, path string, text []byte) (string, error) {
	if strings.HasPrefix(strings.ToLower(filepath.Base(path)), "notice") {
		return notice, nil
	}
	sum := fingerprint(text)
	if license, ok := approved[sum]; ok {
		return license, nil
	}
	return "unknown", fmt.Errorf("%s %s: the license in %s is not approved; read it, and if its terms allow to "+
		"distribute hubgate, add it to approved.go: %q", m.path, m.version, path, sum)
}

var (
	copyrightLine = regexp.MustCompile(`(?im)^\s*(copyright (\(c\) |© )?(19|20)\d\d.*|all rights reserved\.)\s*$`)
	notWord       = regexp.MustCompile(`[^a-z0-9]+`)
)

// fingerprint returns the hash of a license text. Copyright lines, punctuation, case and line breaks do not matter:
// they differ between texts with the same terms.
func fingerprint(text []byte) string {
	words := notWord.ReplaceAll(bytes.ToLower(copyrightLine.ReplaceAll(text, nil)), []byte(" "))
	sum := sha256.Sum256(bytes.TrimSpace(words))
	return hex.EncodeToString(sum[:8])
}

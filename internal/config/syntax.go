package config

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// reportSyntax reports the first line that makes the file invalid YAML, with the usual cure.
func reportSyntax(err error, file []byte, rep *Report) {
	line, message := 1, err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	if strings.HasPrefix(message, "unknown anchor") {
		message = "unknown anchor" // its name may be a password that begins with *
	}
	lines := strings.Split(string(file), "\n")
	at, text := place{min(firstBadLine(file, line), len(lines)), 1}, "invalid YAML: "+message
	if tab, found := tabIndent(lines, at.Line, message); found {
		rep.addAt(tab, "", text, "indent with spaces; YAML does not allow tabs")
		return
	}
	if variable := unquotedVariable(lines, at.Line); variable != "" {
		rep.addAt(at, "", text, `quote variables inside [...] and {...}: "`+variable+`"`)
		return
	}
	rep.addAt(at, "", text, syntaxCure(message, lines[at.Line-1]))
}

// maxReparsed limits the bytes that are parsed to find the place of a syntax error.
const maxReparsed = 16 << 20

// firstBadLine returns the first line that makes the file invalid: everything above it is valid YAML. yaml.v3 reports
// the line where the construct around the mistake begins, or the one after it, and for some mistakes none.
func firstBadLine(text []byte, reported int) int {
	ends := []int{0}
	for i, b := range text {
		if b == '\n' {
			ends = append(ends, i+1)
		}
	}
	budget := maxReparsed
	for n := len(ends) - 1; n >= 0; n-- {
		if n == len(ends)-1 && isYAML(text) {
			return reported + 1 // in a further document yaml.v3 counts lines from 0
		}
		if budget -= ends[n]; budget < 0 {
			return reported
		}
		if isYAML(text[:ends[n]]) {
			return n + 1
		}
	}
	return reported
}

func isYAML(text []byte) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	var document yaml.Node
	return len(bytes.TrimSpace(text)) == 0 || yaml.Unmarshal(text, &document) == nil
}

// tabIndent returns the place of a tab in the indentation of the line, or of lines nearby if the message is about tabs.
func tabIndent(lines []string, line int, message string) (at place, found bool) {
	near := []int{line}
	if strings.Contains(message, "tab") {
		near = []int{line, line - 1, line + 1, line - 2}
	}
	for _, n := range near {
		if n < 1 || n > len(lines) {
			continue
		}
		l := lines[n-1]
		if j := strings.IndexByte(l[:len(l)-len(strings.TrimLeft(l, " \t"))], '\t'); j >= 0 {
			return place{n, j + 1}, true
		}
	}
	return place{}, false
}

var (
	quotedText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'[^']*'`)
	// flowVariable matches a ${...} that begins a value in a flow collection.
	flowVariable = regexp.MustCompile(`(?:^|[^$])[\[{](?:.*[\[,:])?\s*(\$\{[^}]*\})`)
)

// unquotedVariable returns a variable without quotes in a flow collection, where YAML reads its braces as a mapping.
// The parser fails on its line or the next one.
func unquotedVariable(lines []string, line int) string {
	for _, n := range []int{line, line - 1} {
		if n < 1 {
			continue
		}
		bare, _, _ := strings.Cut(quotedText.ReplaceAllString(lines[n-1], "''"), " #")
		if m := flowVariable.FindStringSubmatch(bare); m != nil {
			return m[1]
		}
	}
	return ""
}

// syntaxCure returns the usual cure for a message of yaml.v3.
func syntaxCure(message, line string) string {
	says := func(part string) bool { return strings.Contains(message, part) }
	switch {
	case strings.ContainsRune(line, '\u00a0'):
		return "replace the no-break space (U+00A0) in this line with a space"
	case strings.HasPrefix(line, "<<<<<<<"), strings.HasPrefix(line, ">>>>>>>"), strings.HasPrefix(line, "======="):
		return "resolve the merge conflict, and remove its markers"
	case says("incompatible YAML document"):
		return "remove the %YAML line"
	case says("unknown anchor"), says("alphabetic or numeric"):
		return `quote values that begin with * or &: "/**"`
	case says("cannot start any token"):
		return "quote values that begin with @, ` or %"
	case says("max depth"):
		return "the file is nested too deeply; check that it is the right file"
	case says("escape"):
		return `inside "..." write \\ for a backslash, or use '...'`
	case strings.Count(strings.ReplaceAll(line, `\"`, ""), `"`)%2 == 1, strings.Count(line, "'")%2 == 1:
		return "close the quote on the line where it begins"
	case says("',' or ']'"), says("',' or '}'"):
		return "close the bracket, and separate its entries with commas"
	case says("could not find expected ':'"):
		return "write key: value, with a space after the colon"
	case says("mapping values are not allowed"):
		return "check the indentation of this line and the one above; quote values that contain a colon and a space"
	}
	return "check the indentation, quotes and colons of this line and the one above"
}

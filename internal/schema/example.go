package schema

import (
	"bytes"
	"slices"
	"strings"
)

const (
	commentColumn = 43
	wideColumn    = 60 // for lines that are longer
	maxColumn     = 120
)

const exampleHead = `# yaml-language-server: $schema=./config.schema.json
# This file shows every key of hubgate with its default. Replace each REPLACE_...; keys that you leave out keep their
# default. Read secrets from the environment (${NAME} or ${NAME:-default}) or from files (${file:PATH}). A changed file
# takes effect at once, except for keys with a star (*), which need a restart. docs/configuration.md has the details.
`

// Example returns config.example.yaml: every key with its default and a sentence.
func Example() []byte {
	w := &exampleWriter{explained: map[string]bool{}}
	w.out.WriteString(exampleHead)
	for _, section := range tree().below {
		if section.isSection() {
			w.out.WriteByte('\n')
		}
		w.key(section, "")
	}
	return w.out.Bytes()
}

// exampleWriter writes lines with comments in one column.
type exampleWriter struct {
	out       bytes.Buffer
	explained map[string]bool // paths of keys of entries that have had their sentence
}

// key writes a key, and those below a section.
func (w *exampleWriter) key(n *node, indent string) {
	switch {
	case n.isSection():
		w.line(indent+n.name+":", n.comment()...)
		for i, child := range n.below {
			if indent == "" && i > 0 && (child.isLong() || n.below[i-1].isLong()) {
				w.out.WriteByte('\n')
			}
			w.key(child, indent+"  ")
		}
	case n.Sample != nil:
		w.line(indent+n.name+":", n.comment()...)
		w.sample(n, indent+"  ")
	case n.Shown != "":
		w.line(indent+n.name+": "+n.Shown, n.comment()...)
	default:
		w.line(indent+n.name+": "+n.defaultText(), n.comment()...)
	}
}

// sample writes the entries of a list or mapping.
func (w *exampleWriter) sample(n *node, indent string) {
	below := map[string]*node{}
	n.each(func(child *node) { below[child.Path] = child })
	sections := []string{n.Path} // by indentation, one for two columns
	for _, text := range n.Sample {
		text, comment, _ := strings.Cut(text, "  # ")
		entry := strings.TrimPrefix(text, "# ")
		bare := strings.TrimLeft(entry, "- ")
		name, _, _ := strings.Cut(bare, ":")
		depth := (len(entry) - len(bare)) / 2
		path := sections[max(depth-1, 0)] + "." + name
		sections = append(sections[:max(depth, 1)], path)
		if child := below[path]; child != nil && comment == "" && !w.explained[path] {
			w.line(indent+text, child.comment()...)
			w.explained[path] = true
			continue
		}
		w.line(indent+text, comment)
	}
}

// line writes a line with its comment, which continues below if it is long.
func (w *exampleWriter) line(text string, comment ...string) {
	column := commentColumn
	for _, next := range []int{wideColumn, len(text) + 2} {
		if len(text)+2 > column {
			column = next
		}
	}
	width, rest := maxColumn-column-len("# "), text
	if all := strings.Join(comment, "; "); len(all) <= width {
		comment = []string{all}
	}
	for _, part := range comment {
		for _, line := range wrapped(part, width) {
			w.out.WriteString(rest + strings.Repeat(" ", column-len(rest)) + "# " + line + "\n")
			rest = ""
		}
	}
	if rest != "" {
		w.out.WriteString(rest + "\n")
	}
}

// wrapped breaks a text between words into lines of at most a width.
func wrapped(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimLeft(line+" "+word, " ")
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// comment returns what config.example.yaml says about a key: a sentence, and an example if the default is empty.
func (n *node) comment() []string {
	text := plain(n.Text)
	if words := strings.Join(n.Words, " | "); words != "" && !n.wordsAbove {
		text = words + ": " + text
	}
	if n.Required && !n.isSection() {
		text = "required: " + text
	}
	if n.restarts() && !n.isSection() {
		text = "* " + text
	}
	if n.Usual != "" {
		text += "; default: " + n.Usual
	}
	if len(n.Examples) > 0 && n.isUnset() {
		return []string{text, "example: " + n.Examples[0]}
	}
	return []string{text}
}

// isLong reports whether a key and what is below it take several lines.
func (n *node) isLong() bool { return n.isSection() || n.Sample != nil }

// isUnset reports whether the default is empty, so that an example helps.
func (n *node) isUnset() bool {
	return n.Shown == "" && n.Sample == nil && slices.Contains([]string{`""`, "[]", "{}", "none", "0"}, n.defaultText())
}

package source

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"path/filepath"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// Expander replaces ${NAME}, ${NAME:-default} and ${file:PATH} in scalar values. It works on parsed YAML, so that a
// value cannot add keys (injection, CWE-74).
type Expander struct {
	folder string // of the configuration file, where relative paths start
	getenv func(string) string
	Files  []string
	Hash   hash.Hash // of everything that was inserted, except into addresses to listen on
	Listen string    // what was inserted into addresses to listen on
	Unread error     // why a file could not be read

	Concealer Concealer // of every secret that was read

	NoSecrets bool // a secret that is not here is not a mistake
	Absent    int  // number of values of secrets that are not here, with noSecrets
}

func NewExpander(path string, getenv func(string) string) *Expander {
	return &Expander{folder: filepath.Dir(path), getenv: getenv, Hash: sha256.New()}
}

// maxSecretFile limits what ${file:...} reads.
const maxSecretFile = 64 << 10

// MissingFileCure is the cure for a file that does not exist.
const MissingFileCure = "create the file, or correct the path (absolute or relative to the configuration file)"

// Expand returns text with every ${...} replaced. It does not expand inserted values again.
func (e *Expander) Expand(text string, secret bool) (string, *setting.Invalid) {
	if !strings.Contains(text, "${") {
		return text, nil
	}
	var b strings.Builder
	for rest := text; ; {
		i := strings.Index(rest, "${")
		if i < 0 {
			b.WriteString(rest)
			return b.String(), nil
		}
		if i > 0 && rest[i-1] == '$' { // $${ is a literal ${
			b.WriteString(rest[:i-1] + "${")
			rest = rest[i+2:]
			continue
		}
		b.WriteString(rest[:i])
		inner, after, closed := strings.Cut(rest[i+2:], "}")
		if !closed {
			return "", &setting.Invalid{Text: "unclosed ${", Cure: "write ${NAME}, or $${ for a literal ${"}
		}
		if strings.Contains(inner, "${") {
			return "", &setting.Invalid{Text: "nested ${...} is not supported", Cure: "use one variable"}
		}
		value, bad := e.value(inner, secret)
		if bad != nil {
			return "", bad
		}
		b.WriteString(value)
		rest = after
	}
}

// value returns the value of ${inner}. For a secret it does not suggest a default, which would be in the file.
func (e *Expander) value(inner string, secret bool) (string, *setting.Invalid) {
	if path, isFile := strings.CutPrefix(inner, "file:"); isFile {
		return e.file(path, secret)
	}
	name, fallback, hasFallback := strings.Cut(inner, ":-")
	if !IsVariable(name) {
		if secret {
			e.Concealer.Add(name)
		}
		return "", &setting.Invalid{Text: fmt.Sprintf("%q is not a variable name", setting.Shorten(name)),
			Cure: "write ${NAME}, ${NAME:-default} or ${file:PATH}, or $${ for a literal ${"}
	}
	value := e.getenv(name)
	if namesSecret(name) {
		e.Concealer.Add(value)
	}
	switch {
	case value != "":
		return value, checkVisible(value, "the value of "+name)
	case hasFallback:
		return fallback, nil
	case secret && e.NoSecrets:
		e.Absent++
		return "", nil
	}
	cure := "set " + name + ", or write ${" + name + ":-default}"
	if secret {
		cure = "set " + name + ", or use ${file:PATH}"
	}
	return "", &setting.Invalid{Text: "the environment variable " + name + " is not set or is empty", Cure: cure}
}

func IsVariable(name string) bool {
	return name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// file returns the content of a file without its last newline.
func (e *Expander) file(path string, secret bool) (string, *setting.Invalid) {
	if path == "" {
		return "", &setting.Invalid{Text: "${file:} has no path",
			Cure: "write ${file:PATH}, absolute or relative to the configuration file"}
	}
	path = e.Resolve(path)
	e.Files = append(e.Files, path)
	text, err := ReadBounded(path, maxSecretFile)
	switch {
	case err != nil && secret && e.NoSecrets:
		e.Absent++
		return "", nil
	case err != nil:
		e.Unread = err
		return "", &setting.Invalid{Text: "the file cannot be read: " + err.Error(), Cure: ReadCure(err, MissingFileCure)}
	case len(text) > maxSecretFile:
		return "", &setting.Invalid{Text: "the file " + path + " is larger than 64 KiB",
			Cure: "use a file that contains only the value"}
	}
	if utf16Mark(text) {
		return "", &setting.Invalid{Text: "the file " + path + " is UTF-16", Cure: charCure(byteOrderMark)}
	}
	value, ended := strings.CutSuffix(string(text), "\n")
	if ended {
		value = strings.TrimSuffix(value, "\r")
	}
	if namesSecret(path) {
		e.Concealer.Add(value)
	}
	return value, checkVisible(value, "the file "+path)
}

// NoteLocal records an error of this machine (see LocalFault): without the file, the configuration is incomplete.
func (e *Expander) NoteLocal(err error) {
	if _, local := LocalFault(err); local {
		e.Unread = err
	}
}

// Resolve returns a path that is relative to the configuration file as one that can be opened.
func (e *Expander) Resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(e.folder, path)
}

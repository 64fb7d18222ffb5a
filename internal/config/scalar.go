package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/internal/setting"
)

// word hands a scalar to a type of our own.
func (d *decoder) word(node *yaml.Node, v reflect.Value, word setting.Word, a at) {
	text, ok := d.text(node, a, v.Type() == reflect.TypeFor[setting.Secret]())
	if !ok {
		return
	}
	if v.Type() == reflect.TypeFor[setting.Words]() && text != node.Value && text == "" {
		d.fail(a, "empty after expansion", "set the variable to a value")
		return
	}
	if v.Type() == reflect.TypeFor[setting.Secret]() && !d.secret(node, text, a) {
		return
	}
	if err := word.SetWord(text); err != nil {
		if bad, ok := err.(*setting.Invalid); ok {
			d.fail(a, bad.Text, bad.Cure)
			return
		}
		d.fail(a, err.Error(), "")
		return
	}
	if v.Type() == reflect.TypeFor[setting.Duration]() && v.Int() == 0 && !mayBeZero(a.key) {
		d.fail(a, "must be greater than 0", "write a duration such as 30s")
	}
}

// mayBeZero lists the times of which none at all makes sense.
func mayBeZero(key string) bool {
	name := key[strings.LastIndexByte(key, '.')+1:]
	return slices.Contains([]string{"clock_skew", "drain_delay", "drain_timeout", "min_interval"}, name)
}

// secret remembers how a secret is written, and judges that.
func (d *decoder) secret(node *yaml.Node, text string, a at) bool {
	d.report.Secrets[a.key] = node.Value
	expanded := strings.Contains(node.Value, "${") && !strings.HasPrefix(node.Value, "$${")
	switch {
	case expanded && text == "":
		d.fail(a, "the secret is empty: "+setting.Shorten(node.Value)+" has no content", "write the secret there")
		return false
	case text != "" && !expanded && !strings.Contains(text, "REPLACE_"):
		cure := "write ${NAME} or ${file:PATH} instead"
		if name, isName := strings.CutPrefix(text, "$"); isName && isVariable(name) {
			cure = "did you mean ${" + name + "}?"
		}
		d.report.Findings = append(d.report.Findings, finding{place: a.place, Key: a.key, Warning: true, Text: "the secret is in the configuration file in plain text", Cure: cure})
	}
	switch {
	case strings.TrimSpace(text) != text:
		d.fail(a, "the secret begins or ends with white space", "remove it; only a single newline at the end of a ${file:...} is ignored")
		return false
	case strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text):
		d.fail(a, "the secret contains a line break or a control character", "write only the value, as UTF-8 text")
		return false
	}
	if i := strings.IndexFunc(text, hidden); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		d.fail(a, "the secret contains "+nameOf(r), "copy the value again, without it")
		return false
	}
	return true
}

// text is a scalar's text with ${...} expanded.
func (d *decoder) text(node *yaml.Node, a at, secret bool) (string, bool) {
	text, err := d.expand.expand(node.Value)
	if err != nil {
		cure := err.Cure
		if secret {
			cure, _, _ = strings.Cut(cure, fallbackCure) // a default would be a secret that stands in the file
		}
		if cure != err.Cure {
			cure += ", or use ${file:PATH}"
		}
		d.fail(a, err.Text, cure)
		return "", false
	}
	return text, true
}

func (d *decoder) scalar(node *yaml.Node, v reflect.Value, a at) {
	if node.Kind != yaml.ScalarNode {
		d.fail(a, "expected a single value, got "+nodeWords(node), "write the value after the colon")
		return
	}
	text, ok := d.text(node, a, false)
	if !ok {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, ok := parseBool(text)
		if !ok {
			d.fail(a, strconv.Quote(setting.Shorten(text))+" is not a boolean", "write true or false")
			return
		}
		v.SetBool(b)
	default:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			d.fail(a, strconv.Quote(setting.Shorten(text))+" is not a whole number", "write only digits")
			return
		}
		v.SetInt(n)
	}
}

func parseBool(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "true", "yes", "on":
		return true, true
	case "false", "no", "off":
		return false, true
	}
	return false, false
}

package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/internal/config/source"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

// word decodes a scalar whose type parses it.
func (d *decoder) word(node *yaml.Node, v reflect.Value, word setting.Word, l location) {
	absent := d.expand.Absent
	text, ok := d.text(node, l, v.Type() == reflect.TypeFor[setting.Secret]())
	if !ok {
		return
	}
	if d.expand.Absent > absent {
		d.report.Absent = append(d.report.Absent, l.key)
		_ = word.SetWord(seal.NewKey()) // a random value that suits every secret, so that only its presence is checked
		return
	}
	if v.Type() == reflect.TypeFor[setting.Words]() && text != node.Value && text == "" {
		d.fail(l, "empty after expansion", "set the variable to a value")
		return
	}
	if v.Type() == reflect.TypeFor[setting.Secret]() && !d.secret(node, text, l) {
		return
	}
	if err := setWord(v, word, text, l.key); err != nil {
		if bad, ok := err.(*setting.Invalid); ok {
			d.fail(l, bad.Text, bad.Cure)
			return
		}
		d.fail(l, err.Error(), "")
	}
}

// setWord sets a value to the text. A duration of 0 is an error where it makes no sense, with or without a unit.
func setWord(v reflect.Value, word setting.Word, text, key string) error {
	positive := v.Type() == reflect.TypeFor[setting.Duration]() && !mayBeZero(key)
	if positive && text == "0" {
		return setting.NotPositive(text)
	}
	if _, isRate := word.(*setting.Rate); isRate && key == "hubspot.rate_limit" && !setting.IsNone(text) {
		return &setting.Invalid{Text: "expected a rate", Cure: "write {requests: 90, per: 10s}"} // none is refused there
	}
	err := word.SetWord(text)
	if err == nil && positive && v.Int() == 0 {
		return setting.NotPositive(text)
	}
	return err
}

// mayBeZero reports whether a duration of 0 makes sense for a key.
func mayBeZero(key string) bool {
	name := key[strings.LastIndexByte(key, '.')+1:]
	return slices.Contains([]string{"clock_skew", "drain_delay", "drain_timeout", "min_interval"}, name)
}

// secret records how a secret is written, and reports whether its value can be used. Characters that cannot be seen
// would pass every other check, and then each login would fail.
func (d *decoder) secret(node *yaml.Node, text string, l location) bool {
	d.report.Secrets[l.key] = node.Value
	d.expand.Concealer.Add(text)
	expanded := strings.Contains(node.Value, "${") && !strings.HasPrefix(node.Value, "$${")
	switch {
	case expanded && text == "":
		d.fail(l, "the secret is empty: "+setting.Shorten(node.Value)+" has no content", "write the secret there")
		return false
	case text != "" && expanded && strings.Contains(node.Value, ":-") && strings.HasSuffix(node.Value, ":-"+text+"}"):
		d.report.Findings = append(d.report.Findings, finding{place: l.place, Key: l.key, Warning: true,
			Text: "the secret is in the configuration file in plain text, as a default", Cure: "remove the default"})
	case text != "" && !expanded && !setting.HasPlaceholder(text):
		cure := "write ${NAME} or ${file:PATH} instead"
		if name, isName := strings.CutPrefix(text, "$"); isName && source.IsVariable(name) {
			cure = "did you mean ${" + name + "}?"
		}
		d.report.Findings = append(d.report.Findings, finding{place: l.place, Key: l.key, Warning: true,
			Text: "the secret is in the configuration file in plain text", Cure: cure})
	}
	switch {
	case meansEmpty(text) && slices.Contains(emptySecrets, l.key):
		d.fail(l, setting.Quote(text)+" is not a secret", `remove the key, or write ""`)
		return false
	case strings.TrimSpace(text) != text:
		d.fail(l, "the secret begins or ends with white space", source.EdgeCure)
		return false
	case strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text):
		d.fail(l, "the secret contains a line break or a control character", "write only the value, as UTF-8 text")
		return false
	}
	if i := strings.IndexFunc(text, source.Hidden); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		d.fail(l, "the secret contains "+source.CharName(r), "copy the value again, without it")
		return false
	}
	return true
}

// text returns a scalar's text with ${...} expanded.
func (d *decoder) text(node *yaml.Node, l location, secret bool) (string, bool) {
	text, bad := d.expand.Expand(node.Value, secret)
	if bad != nil {
		d.fail(l, bad.Text, bad.Cure)
		return "", false
	}
	switch {
	case text == node.Value:
	case ofReplica(l.key):
		d.expand.Listen += l.key + "=" + text + "\n"
	default:
		fmt.Fprintf(d.expand.Hash, "%d:%s", len(text), text)
	}
	if setting.HasPlaceholder(text) {
		d.placeholders = append(d.placeholders, l.key)
	}
	return text, true
}

// ofReplica reports whether the value of a key may differ between replicas, such as the address of a pod. What is
// inserted there is not part of the hash, by which operators see whether all replicas serve the same configuration.
func ofReplica(key string) bool {
	return slices.Contains([]string{"server.listen", "server.admin_listen", "server.tls.http_listen"}, key)
}

// reportPlaceholders reports the placeholders of the example that the sections accept, as any text is valid there.
func (d *decoder) reportPlaceholders() {
	for _, key := range d.placeholders {
		reported := func(f finding) bool { return !f.Warning && (f.Key == key || strings.HasPrefix(f.Key, key+".")) }
		if !slices.ContainsFunc(d.report.Findings, reported) {
			d.report.addAll(setting.Mistake(key, "the placeholder is still there", "write the real value"))
		}
	}
}

// scalar decodes a text, a boolean or a whole number.
func (d *decoder) scalar(node *yaml.Node, v reflect.Value, l location) {
	if node.Kind != yaml.ScalarNode {
		d.fail(l, "expected a single value, got "+nodeWords(node), "write the value after the colon")
		return
	}
	text, ok := d.text(node, l, false)
	if !ok {
		return
	}
	switch v.Kind() {
	case reflect.String:
		if meansEmpty(text) && slices.Contains(emptyTexts, l.key) {
			d.fail(l, setting.Quote(text)+" would be taken literally", `remove the key, or write ""`)
			return
		}
		v.SetString(text)
	case reflect.Bool:
		b, ok := parseBool(text)
		if !ok {
			d.fail(l, strconv.Quote(setting.Shorten(text))+" is not a boolean", "write true or false")
			return
		}
		v.SetBool(b)
	default:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			d.fail(l, strconv.Quote(setting.Shorten(text))+" is not a whole number", "write only digits")
			return
		}
		v.SetInt(n)
	}
}

// meansEmpty reports whether a text is a word for nothing. In a key whose default is empty it would be taken literally.
func meansEmpty(text string) bool { return setting.IsNone(text) || setting.MeansNone(text) }

// emptyTexts and emptySecrets are optional keys that accept any word, and are empty by default.
var (
	emptyTexts = []string{
		"proxy.origin_host", "session.cookie_name", "session.redis.username", "session.redis.master_name",
		"session.redis.ca_file", "pages.folder", "server.tls.cert_file", "server.tls.key_file",
		"auth.after_logout", "pages.logo", "pages.support", "pages.accent", "pages.accent_dark", "tracing.endpoint",
	}
	emptySecrets = []string{"server.admin_token", "session.redis.password", "session.redis.sentinel_password"}
)

func parseBool(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "true", "yes", "on":
		return true, true
	case "false", "no", "off":
		return false, true
	}
	return false, false
}

// warnEmpty warns about a key of a rule that restricts it and has no value, as when its entries are commented out: the
// page is then open to everyone whom the other keys admit.
func (d *decoder) warnEmpty(value *yaml.Node, in reflect.Type, name string, l location) {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	restricts := slices.Contains([]string{"lists", "groups", "claims", "methods", "hosts", "max_auth_age"}, name)
	if in != reflect.TypeFor[rules.RuleConfig]() || !restricts || value.Tag != "!!null" {
		return
	}
	d.report.Findings = append(d.report.Findings, finding{
		place: l.place, Key: l.key, Warning: true, Text: "a key without a value has no effect, so the rule is more open",
		Cure: "write its values, or remove the key",
	})
}

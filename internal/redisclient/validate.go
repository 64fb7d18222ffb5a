package redisclient

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// Validate returns the mistakes in the section session.redis.
func (c Config) Validate() []setting.Problem {
	modes := []string{"single", "sentinel", "cluster", "embedded"}
	if !slices.Contains(modes, c.Mode) {
		cure := "write single, sentinel, cluster or embedded"
		if near := setting.Nearest(c.Mode, modes); near != "" {
			cure = "did you mean " + near + "?"
		}
		return []setting.Problem{
			{Key: "session.redis.mode", Text: fmt.Sprintf("%q is not a valid value", c.Mode), Cure: cure},
		}
	}
	var problems []setting.Problem
	bad := func(key, text, cure string) {
		problems = append(problems, setting.Problem{Key: "session.redis." + key, Text: text, Cure: cure})
	}
	switch {
	case c.Mode != "embedded" && len(c.URLs) == 0:
		bad("urls", "required", "write urls: [redis://127.0.0.1:6379/0]")
	case c.Mode == "single" && len(c.URLs) > 1:
		bad("urls", "more than one URL with mode: single", "write one URL, or set mode: sentinel or cluster")
	}
	if c.Mode == "sentinel" && c.MasterName == "" {
		bad("master_name", "required with mode: sentinel", "write the master name that the sentinels monitor")
	}
	unused, remove := "has no effect with mode: "+c.Mode, "remove it, or set mode: sentinel"
	if c.Mode != "sentinel" && c.MasterName != "" {
		bad("master_name", unused, remove)
	}
	if c.Mode != "sentinel" && c.SentinelPassword != "" {
		bad("sentinel_password", unused, remove)
	}
	problems = append(problems, c.validateURLs()...)
	if !isPrefix(c.KeyPrefix) {
		bad("key_prefix", fmt.Sprintf("%q contains characters that are special in Redis", c.KeyPrefix),
			"write letters, digits and colons")
	}
	return problems
}

// isPrefix reports whether text can begin a key: without hash tags, patterns, spaces and control characters.
func isPrefix(text string) bool {
	special := strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f })
	return !special && !strings.ContainsAny(text, "{}*?[]") && len(text) <= 64
}

// validateURLs checks each address, and that all have the same scheme and database.
func (c Config) validateURLs() []setting.Problem {
	var problems []setting.Problem
	first, tls := "", false
	for i, text := range c.URLs {
		key := "session.redis.urls[" + strconv.Itoa(i) + "]"
		u, err := url.Parse(text)
		if err == nil {
			tls = tls || u.Scheme == "rediss"
			alike := u.Scheme + " " + databaseOf(u)
			if i == 0 {
				first = alike
			}
			if alike != first && len(problems) == 0 {
				problems = append(problems, setting.Problem{
					Key: key, Text: "the scheme or database differs from urls[0]",
					Cure: "write the same scheme and database in all of them",
				})
				continue
			}
		}
		if err != nil && strings.Contains(text, "@") { // a password with a percent sign, a slash or a bracket
			problems = append(problems, setting.Problem{Key: key, Text: credentialsText, Cure: credentialsCure})
			continue
		}
		if err != nil {
			u = &url.URL{}
		}
		if text, cure := c.checkURL(u); text != "" {
			problems = append(problems, setting.Problem{Key: key, Text: text, Cure: cure})
		}
	}
	if c.CAFile != "" && !tls {
		problems = append(problems, setting.Problem{
			Key: "session.redis.ca_file", Text: "has no effect without TLS",
			Cure: "write rediss:// URLs, or remove it",
		})
	}
	return problems
}

const (
	credentialsText = "credentials in the URL can leak into logs and process lists"
	credentialsCure = "write them in session.redis.username and password"
)

func databaseOf(u *url.URL) string { return strings.Trim(u.Path, "/") }

// checkURL returns what is wrong with an address and its cure; two empty strings if nothing is.
func (c Config) checkURL(u *url.URL) (text, cure string) {
	database := databaseOf(u)
	switch {
	case u.Host == "" || (u.Scheme != "redis" && u.Scheme != "rediss"):
		return "not a Redis URL", "write redis://HOST:6379/0, or rediss:// for TLS"
	case u.Port() != "" && !isPort(u.Port()):
		return fmt.Sprintf("%q is not a port", u.Port()), "write a port from 1 to 65535"
	case u.User != nil:
		return credentialsText, credentialsCure
	case strings.Trim(database, "0123456789") != "":
		return fmt.Sprintf("%q is not a database number", database), "write /0"
	case c.Mode == "cluster" && database != "" && database != "0":
		return "a cluster has only database 0", "write /0, or nothing"
	case u.RawQuery != "" || u.Fragment != "":
		return "parameters in the URL are not supported", "remove everything from the ? on"
	}
	return "", ""
}

func isPort(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n > 0 && n < 65536
}

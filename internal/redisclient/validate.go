package redisclient

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

func (c Config) Validate() []setting.Problem {
	if !slices.Contains([]string{"single", "sentinel", "cluster", "embedded"}, c.Mode) {
		cure := "write single, sentinel, cluster or embedded"
		if near := setting.Nearest(c.Mode, []string{"single", "sentinel", "cluster", "embedded"}); near != "" {
			cure = "did you mean " + near + "?"
		}
		return []setting.Problem{{Key: "session.redis.mode", Text: fmt.Sprintf("%q is not a mode", c.Mode), Cure: cure}}
	}
	var problems []setting.Problem
	bad := func(key, text, cure string) {
		problems = append(problems, setting.Problem{Key: "session.redis." + key, Text: text, Cure: cure})
	}
	switch {
	case c.Mode != "embedded" && len(c.URLs) == 0:
		bad("urls", "an address is required", "write urls: [redis://127.0.0.1:6379/0]")
	case c.Mode == "single" && len(c.URLs) > 1:
		bad("urls", "mode single has one address", "name one, or set mode: sentinel or cluster")
	}
	if c.Mode == "sentinel" && c.MasterName == "" {
		bad("master_name", "mode sentinel needs the name of the master", "write the name that the sentinels watch")
	}
	if c.Mode != "sentinel" && c.MasterName != "" {
		bad("master_name", "it has no effect with mode "+c.Mode, "remove it, or set mode: sentinel")
	}
	if c.Mode != "sentinel" && c.SentinelPassword != "" {
		bad("sentinel_password", "it has no effect with mode "+c.Mode, "remove it, or set mode: sentinel")
	}
	problems = append(problems, c.validateURLs()...)
	if strings.ContainsAny(c.KeyPrefix, "{}*?[]") || strings.ContainsFunc(c.KeyPrefix, func(r rune) bool { return r <= ' ' || r == 0x7f }) || len(c.KeyPrefix) > 64 {
		bad("key_prefix", fmt.Sprintf("%q has characters that mean something to Redis", c.KeyPrefix), "write letters, digits and colons")
	}
	return problems
}

func (c Config) validateURLs() []setting.Problem {
	var problems []setting.Problem
	tls := false
	first := ""
	for i, text := range c.URLs {
		key := "session.redis.urls[" + strconv.Itoa(i) + "]"
		u, err := url.Parse(text)
		database := ""
		if err == nil {
			database = strings.Trim(u.Path, "/")
			tls = tls || u.Scheme == "rediss"
			if alike := u.Scheme + " " + database; i == 0 {
				first = alike
			} else if alike != first && len(problems) == 0 {
				problems = append(problems, setting.Problem{Key: key, Text: "it has another scheme or database than urls[0]", Cure: "write the same scheme and database in all of them"})
				continue
			}
		}
		switch {
		case err != nil || u.Host == "" || (u.Scheme != "redis" && u.Scheme != "rediss"):
			problems = append(problems, setting.Problem{Key: key, Text: "this is not a Redis address", Cure: "write redis://HOST:6379/0, or rediss:// for TLS"})
		case u.Port() != "" && !isPort(u.Port()):
			problems = append(problems, setting.Problem{Key: key, Text: fmt.Sprintf("%q is not a port", u.Port()), Cure: "write a port from 1 to 65535"})
		case u.User != nil:
			problems = append(problems, setting.Problem{Key: key, Text: "credentials stand in the address, where logs and process lists show them", Cure: "write them into username and password"})
		case database != "" && strings.Trim(database, "0123456789") != "":
			problems = append(problems, setting.Problem{Key: key, Text: fmt.Sprintf("%q is not the number of a database", database), Cure: "write /0"})
		case c.Mode == "cluster" && database != "" && database != "0":
			problems = append(problems, setting.Problem{Key: key, Text: "a cluster has only database 0", Cure: "write /0, or nothing"})
		case u.RawQuery != "" || u.Fragment != "":
			problems = append(problems, setting.Problem{Key: key, Text: "settings in the address are not read", Cure: "remove what follows the ?"})
		}
	}
	if c.CAFile != "" && !tls {
		problems = append(problems, setting.Problem{Key: "session.redis.ca_file", Text: "it has no effect without TLS", Cure: "write rediss:// addresses, or remove it"})
	}
	return problems
}

func isPort(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n > 0 && n < 65536
}

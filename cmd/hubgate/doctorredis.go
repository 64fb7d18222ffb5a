package main

import "strings"

// redisCures are what to do about an error of Redis, by words of its text. The first that fits counts.
var redisCures = []struct{ words, cure string }{
	{"WRONGPASS", "put the right name and password into session.redis.username and password"},
	{"NOAUTH", "put the right password into session.redis.password"},
	{"invalid password", "put the right password into session.redis.password"},
	{"NOPERM", "give the user the permissions in docs/operations.md, section Redis"},
	{"signed by unknown authority", "put the certificate of Redis' authority into session.redis.ca_file"},
	{"not standards compliant", "put the certificate of Redis' authority into session.redis.ca_file"},
	{"certificate is valid for", "write a name that the certificate has into session.redis.urls, or get a certificate for this name"},
	{"doesn't contain any IP SANs", "write a name that the certificate has into session.redis.urls, or get a certificate for this address"},
	{"has expired", "renew the certificate of Redis, or mend this machine's clock"},
	{"no such host", "mend the name in session.redis.urls, or the name service"},
	{"refused", "start Redis there, or mend session.redis.urls"},
	{"LOADING", "wait until Redis has loaded its data"},
	{"all sentinels specified in configuration are unreachable", "mend session.redis.urls, master_name and sentinel_password"},
	{"tls:", "write rediss:// for a Redis with TLS and redis:// for one without"},
	{"EOF", "write rediss:// for a Redis with TLS and redis:// for one without"},
	{"reset by peer", "write rediss:// for a Redis with TLS and redis:// for one without"},
}

func redisCure(text string) string {
	for _, c := range redisCures {
		if strings.Contains(text, c.words) {
			return c.cure
		}
	}
	return "look at session.redis, the network and Redis' own log"
}

package schema

import "github.com/hubgate/hubgate/internal/setting"

func serverKeys() []Key {
	return append([]Key{
		{Path: "version", Text: "version of the file's format, always 1", Required: true, Shown: "1"},
		{Path: "server", Text: "addresses, listeners, TLS and limits of connections", Required: true},
		{
			Path: "server.public_urls", Required: true, NotEmpty: true, Shown: `["https://REPLACE_HOST"]`,
			Text:     "URLs that visitors use; requests for other hosts get a 421",
			More:     "Scheme, host and optional port; `http://` only with a loopback host.",
			Examples: []string{`["https://www.example.com"]`},
		},
		{
			Path: "server.redirect_from", Text: "other names of a public host, redirected to it with 308",
			Examples: []string{"{www.example.com: [example.com]}"}, Entry: "other names of this public host",
		},
		{Path: "server.listen", Text: "address of the listener for visitors", Examples: []string{`"10.1.2.3:8443"`}},
		{
			Path: "server.health_path", Examples: []string{"/healthz"},
			Text: "path where load balancers check this replica, or none",
			More: "200, or 503 while draining, under any `Host`, on the public listeners. Not a path that the site uses.",
		},
		{
			Path: "server.admin_listen", Examples: []string{`"[${POD_IP}]:9090"`},
			Text: "listener for metrics, health checks and the admin API; never expose it",
			More: "IPv6 addresses need brackets.",
		},
		{
			Path: "server.admin_token", Examples: []string{"${HUBGATE_ADMIN_TOKEN}"},
			Text: "bearer token for the admin API and `/config`; without one they are closed",
		},
		{
			Path: "server.trusted_proxies", Shown: "[private]", Examples: []string{"[private]", "[10.0.0.0/8]", "[none]"},
			Text: "proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are accepted: CIDRs, private or none; " +
				"required if a public URL is https and `tls.mode` is none",
			More: "In a chain of proxies, as many hops are read from the right as are listed here.",
		},
		{Path: "server.pprof", Text: "Go profiles on the admin listener"},
		{Path: "server.drain_delay", Text: "after SIGTERM, report not ready but keep serving for this long"},
		{Path: "server.drain_timeout", Text: "after drain_delay, wait at most this long for requests in flight"},
	}, append(tlsKeys(), limitKeys()...)...)
}

func tlsKeys() []Key {
	return []Key{
		{Path: "server.tls", Text: "where TLS ends, and with which certificates"},
		{
			Path: "server.tls.mode", Words: []string{setting.None, "files", "acme"},
			Text: "`none` if a load balancer terminates TLS",
			More: "`files` reads `cert_file` and `key_file`; `acme` gets certificates from a certificate authority.",
		},
		{
			Path: "server.tls.cert_file", Examples: []string{"/run/secrets/tls.crt"},
			Text: "mode files: the certificate, then its chain; read again when it changes",
		},
		{
			Path: "server.tls.key_file", Examples: []string{"/run/secrets/tls.key"},
			Text: "mode files: the certificate's private key",
		},
		{
			Path: "server.tls.acme",
			Text: "mode acme: certificates for all hosts, shared by the replicas through Redis",
			More: "Not with embedded Redis.",
		},
		{
			Path: "server.tls.acme.email", Text: "where the certificate authority reports problems",
			Examples: []string{"webmaster@example.com"},
		},
		{
			Path: "server.tls.acme.directory_url", Text: "the certificate authority; empty: Let's Encrypt",
			Examples: []string{"https://acme-staging-v02.api.letsencrypt.org/directory"},
		},
		{Path: "server.tls.acme.agree", Text: "accept the authority's terms of service; required in mode acme"},
		{
			Path: "server.tls.http_listen", Examples: []string{`":80"`},
			Text: "modes files, acme: HTTP listener for challenges and redirects to https",
		},
		{
			Path: "server.tls.hsts", Examples: []string{"365d"},
			Text: "how long browsers use only https (Strict-Transport-Security), or none",
		},
	}
}

func limitKeys() []Key {
	return []Key{
		{Path: "server.limits", Text: "limits of visitors' connections"},
		{Path: "server.limits.header_bytes", Text: "largest request header, from 4KiB to 1MiB; larger ones get a 431"},
		{Path: "server.limits.header_timeout", Text: "time to receive a complete header, and for the TLS handshake"},
		{Path: "server.limits.idle_timeout", Text: "idle connections are closed after this time"},
		{
			Path: "server.limits.connections", Examples: []string{"50000"},
			Text: "open connections of all visitors, or none; more connections wait",
			More: "`LimitNOFILE` must exceed twice this number by 512.",
		},
		{
			Path: "server.limits.connections_per_address", Examples: []string{"100"},
			Text: "open connections of one address, or none",
			More: "For visitors who connect directly; IPv6 counts per /64, and `trusted_proxies` are exempt.",
		},
	}
}

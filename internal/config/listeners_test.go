package config

import "testing"

func TestLocalURLReachesListener(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{
		"127.0.0.1:9090": "http://127.0.0.1:9090", ":9090": "http://127.0.0.1:9090", "0.0.0.0:1": "http://127.0.0.1:1",
		"[::]:9090": "http://127.0.0.1:9090", "[0:0::0]:9090": "http://127.0.0.1:9090", "[::1]:9090": "http://[::1]:9090",
		"[10.1.2.3]:9090": "http://10.1.2.3:9090", "[fd00::5]:9090": "http://[fd00::5]:9090",
		"[fe80::1%eth0]:9090": "http://[fe80::1%25eth0]:9090", "localhost:9090": "http://localhost:9090",
	} {
		if got := LocalURL(listen); got != want {
			t.Errorf("%s: %s, want %s", listen, got, want)
		}
	}
}

func TestUnbracketedIPv6IsRecognized(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"fd00::5:9090": "[fd00::5]:9090", "2001:db8:1:2:3:4:5:6:9090": "[2001:db8:1:2:3:4:5:6]:9090",
		"::1": "[::1]:8080", "[::1]": "[::1]:8080", "::": "[::]:8080", "fe80::1%eth0:9090": "[fe80::1%eth0]:9090",
		"9090": "", "localhost": "", "10.1.2.3": "", "10.1.2.3:x": "", "[10.1.2.3]": "", "": "", ":": "", "a:b:1": "",
	} {
		if got := bracketed(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

func TestListenAddressesCollideInAnySpelling(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{":80", "127.0.0.1:80", true}, {"[::]:80", "10.1.2.3:80", true}, {"[0::0]:80", "[fd00::5]:80", true},
		{"[::1]:80", "[0:0:0:0:0:0:0:1]:80", true}, {"[::ffff:10.1.2.3]:80", "10.1.2.3:80", true},
		{"localhost:80", "127.0.0.1:80", true}, {"LocalHost:80", "[::1]:80", false},
		{"[::1]:80", "127.0.0.1:80", false}, {"[::1]:80", "[::1]:81", false}, {"[::]:0", ":0", false},
	} {
		if got := collide(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

package starter

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/configtest"
)

// set answers one question.
func set(t *testing.T, a *Answers, flag, text string) error {
	t.Helper()
	for _, q := range Questions() {
		if q.Flag == flag {
			return q.Answer(a, text)
		}
	}
	t.Fatalf("there is no question %s", flag)
	return nil
}

func TestSiteIsNormalized(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"www.example.com":                "https://www.example.com",
		"https://www.example.com/":       "https://www.example.com",
		"  https://www.example.com\r\n":  "https://www.example.com",
		"https://www.example.com:8443":   "https://www.example.com:8443",
		"https://bücher.example":         "https://xn--bcher-kva.example",
		"HTTPS://WWW.Example.COM":        "https://www.example.com",
		"bücher.example:8443/":           "https://xn--bcher-kva.example:8443",
		"http://localhost:8080":          "http://localhost:8080",
		"https://www.example.com:443":    "https://www.example.com",
		"https://[2001:db8::1]:8443":     "https://[2001:db8::1]:8443",
		"https://xn--bcher-kva.example/": "https://xn--bcher-kva.example",
	} {
		a := &Answers{}
		if err := set(t, a, "site", text); err != nil || a.Site != want {
			t.Errorf("%q: %q %v, want %q", text, a.Site, err, want)
		}
	}
}

func TestAnswersThatAreMistakesNameTheCure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ flag, text, says string }{
		{"site", "", "required"},
		{"site", "https://www.example.com/blog", "more than scheme, host and port; write https://www.example.com"},
		{"site", "www.example.com/?a=b", "more than scheme, host and port"},
		{"site", "http://www.example.com", "http would expose session cookies on the network; write https://"},
		{"site", "ftp://www.example.com", "not a URL with scheme and host"},
		{"site", "https://*.example.com", "wildcards are not supported"},
		{"site", `https://[fe80::1%25eth0"]`, "is not a host name"}, // it would end a string of cognito.tf
		{"site", "https://www.ex\u202eample.com", "is not a host name"},
		{"site", "--help", "is not a host name"},
		{"site", "https://www.example.com:99999", "is not a port"},
		{"site", "https://user:secret@www.example.com", "more than scheme, host and port"},
		{"site", "https://12345678.sites-proxy.hscoscdn20.net", "host of HubSpot"},
		{"hub-id", "", "required"},
		{"hub-id", "1234abcd", `"1234abcd" is not a Hub ID; write its digits`},
		{"hub-id", "0", "is not a Hub ID"},
		{"hub-id", "-5", "is not a Hub ID"},
		{"hub-id", "+5", "is not a Hub ID"},
		{"hub-id", "99999999999999999999", "is not a Hub ID"},
		{"data-center", "eu", "did you mean eu1?"},
		{"user-pool", "", "required"},
		{"user-pool", "eu-west_AbCdEf123", "is not a user pool ID"},
		{"user-pool", "AbCdEf123", "is not a user pool ID"},
		{"user-pool", "eu-west-1-AbCdEf123", "is not a user pool ID"},
		{"user-pool", "arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_AbCdEf123", "is not a user pool ID"},
		{"client-id", `x", "y`, "is not the ID of an app client"},
		{"client-id", "${HOME}", "is not the ID of an app client"},
		{"template", "cdk", "write one of: none, cloudformation, terraform"},
	} {
		err := set(t, &Answers{}, c.flag, c.text)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s %q: %v, want %q", c.flag, c.text, err, c.says)
		}
	}
}

// suffixes are the sentences of docs/install.md about the number in the origin: "00 for 00-10 and 51-60".
var suffixes = regexp.MustCompile(`(\d\d)\s+for\s+(\d\d)-(\d\d)\s+and\s+(\d\d)-(\d\d)`)

func TestOriginIsTheOneOfTheDocuments(t *testing.T) {
	t.Parallel()
	ranges := suffixes.FindAllStringSubmatch(configtest.Read(t, "docs", "install.md"), -1)
	known := 0
	for _, r := range ranges {
		for last := range 100 {
			if text := fmt.Sprintf("%02d", last); text < r[2] || text > r[3] && text < r[4] || text > r[5] {
				continue
			}
			known++
			a := &Answers{HubID: int64(12345600 + last), DataCenter: "na1"}
			want := "https://" + strconv.FormatInt(a.HubID, 10) + ".sites-proxy.hscoscdn" + r[1] + ".net"
			if got := a.Origin(); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
	if known != 100 {
		t.Errorf("docs/install.md has the number for %d of 100 endings", known)
	}
	if got := (&Answers{HubID: 7, DataCenter: "eu1"}).Origin(); got != "https://7.sites-proxy.hscoscdn00-eu1.net" {
		t.Error(got)
	}
}

func TestTemplateIsAskedForOnlyWithoutClient(t *testing.T) {
	t.Parallel()
	for _, q := range Questions() {
		if q.Needless(&Answers{}) || q.Needless(&Answers{ClientID: "x"}) != (q.Flag == "template") {
			t.Errorf("%s is needless", q.Flag)
		}
		if strings.Contains(q.Flag, "secret") || strings.Contains(q.Flag, "token") {
			t.Errorf("%s asks for a secret", q.Flag)
		}
	}
}

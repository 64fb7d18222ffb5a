package starter

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy"
)

// Answers are what the files are made of.
type Answers struct {
	Site       string // such as https://www.example.com
	HubID      int64
	DataCenter string // such as eu1
	UserPool   string
	ClientID   string // "" if the app client does not exist yet
	Template   string // for the app client: none | cloudformation | terraform
}

// Question is one of the things that init must know. No answer is a secret: the command line is visible to other users
// of the machine, and stays in the history of the shell.
type Question struct {
	Flag, Text, Help string
	Default          string
	Required         bool
	needless         func(*Answers) bool // nil: never
	answer           func(*Answers, string) error
}

// Questions returns the questions in the order in which they are asked.
func Questions() []Question {
	return []Question{
		{Flag: "site", Text: "URL of the site, such as https://www.example.com", Required: true,
			Help: "URL that visitors open, such as https://www.example.com", answer: (*Answers).setSite},
		{Flag: "hub-id", Text: "Hub ID, such as 12345678 (in the account menu of HubSpot)", Required: true,
			Help: "ID of the HubSpot account, from which the origin is derived", answer: (*Answers).setHubID},
		{Flag: "data-center", Text: "Data center of HubSpot, such as eu1 if you log in at app-eu1.hubspot.com",
			Default: "na1", Help: "data center of the HubSpot account: " + strings.Join(dataCenters(), ", "),
			answer: (*Answers).setDataCenter},
		{Flag: "user-pool", Text: "ID of the Cognito user pool, such as eu-west-1_AbCdEf123", Required: true,
			Help: "ID of the Cognito user pool, such as eu-west-1_AbCdEf123", answer: (*Answers).setUserPool},
		{Flag: "client-id", Text: "ID of the app client, such as 4jqexample7k (empty if it does not exist yet)",
			Help: "ID of the app client; empty if it does not exist yet", answer: (*Answers).setClientID},
		{Flag: "template", Text: "Template to write for the app client: none, cloudformation or terraform", Default: "none",
			Help:     "also write a template for the app client: " + strings.Join(templates(), ", "),
			needless: func(a *Answers) bool { return a.ClientID != "" }, answer: (*Answers).setTemplate},
	}
}

// Needless reports whether earlier answers make the question needless, so that its default is the answer.
func (q Question) Needless(a *Answers) bool { return q.needless != nil && q.needless(a) }

// Answer sets the answer to a question, or returns what is wrong with it and what to do.
func (q Question) Answer(a *Answers, text string) error {
	text = strings.TrimSpace(text)
	if text == "" {
		text = q.Default
	}
	if text == "" && q.Required {
		return fmt.Errorf("required: %s", q.Help)
	}
	return q.answer(a, text)
}

// setSite accepts a host without a scheme, a slash at the end, and a host with letters of any script.
func (a *Answers) setSite(text string) error {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	if u, err := url.Parse(text); err == nil && u.User == nil {
		if ascii, err := idna.Lookup.ToASCII(u.Hostname()); err == nil && ascii != "" {
			u.Host = strings.Replace(u.Host, u.Hostname(), ascii, 1)
		}
		if u.Path == "/" {
			u.Path = ""
		}
		text = u.String()
	}
	if site, ok := inbound.ParseSite(text); ok {
		a.Site = site.Origin()
	}
	server := config.ServerConfig{PublicURLs: []string{text}}
	return firstOf(server.Validate(), "server.public_urls")
}

func (a *Answers) setHubID(text string) (err error) {
	const maxDigits = 12
	a.HubID, err = strconv.ParseInt(text, 10, 64)
	if err != nil || a.HubID <= 0 || len(text) > maxDigits || strings.Trim(text, "0123456789") != "" {
		return fmt.Errorf("%s is not a Hub ID; write its digits, such as 12345678", setting.Quote(text))
	}
	return nil
}

func dataCenters() []string { return []string{"na1", "na2", "na3", "eu1", "ap1"} }

func (a *Answers) setDataCenter(text string) error {
	a.DataCenter = text
	return firstOf(setting.CheckWord("", text, dataCenters()...), "")
}

func (a *Answers) setUserPool(text string) error {
	a.UserPool = text
	provider := auth.DefaultConfig()
	provider.UserPool = text
	return firstOf(provider.Validate(), "auth.user_pool")
}

var clientID = regexp.MustCompile(`^[A-Za-z0-9_+]{0,128}$`)

func (a *Answers) setClientID(text string) error {
	a.ClientID = text
	if !clientID.MatchString(text) {
		return fmt.Errorf("%s is not the ID of an app client; copy it from the console, or leave it empty",
			setting.Quote(text))
	}
	return nil
}

func (a *Answers) setTemplate(text string) error {
	a.Template = text
	return firstOf(setting.CheckWord("", text, templates()...), "")
}

// firstOf returns the first error about a key or what is below it, as check words it.
func firstOf(problems []setting.Problem, key string) error {
	for _, p := range problems {
		if strings.HasPrefix(p.Key, key) && !p.Warning {
			return fmt.Errorf("%s; %s", p.Text, p.Cure)
		}
	}
	return nil
}

// Origin returns HubSpot's origin for reverse proxies; check --live verifies it.
func (a *Answers) Origin() string {
	dataCenter := ""
	if a.DataCenter != "na1" {
		dataCenter = "-" + a.DataCenter
	}
	return fmt.Sprintf("https://%d.sites-proxy.hscoscdn%02d%s.net", a.HubID, proxy.OriginNumber(a.HubID), dataCenter)
}

package rules

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/proxy/urlpath"
	"github.com/hubgate/hubgate/session"
)

// GatewayRule is the name of the rule that is reported for the gateway's own endpoints, which rules do not reach.
const GatewayRule = "_gateway"

// Question is a request that is judged without being sent.
type Question struct {
	Address string           // a path of the first public host, or a full URL of a public host
	Method  string           // "" is GET
	As      *session.Session // nil for an anonymous visitor
}

// Explanation is the decision about a Question: which rule decides, and why.
type Explanation struct {
	URL       string `json:"url"`
	Canonical string `json:"canonical"`
	Decision  string `json:"decision"`
	Status    int    `json:"status"`
	Rule      *Ref   `json:"rule"`
	Reason    string `json:"reason"`
	// The rest is printed for people only.
	Asks     string     `json:"-"` // what the rules ask for
	Readings []string   `json:"-"` // what else the path may be taken for
	NearMiss []NearMiss `json:"-"`
}

// Explain judges a question as the gateway would judge the request. An error means that the address is not a URL of a
// public host. A URL that the gateway would refuse is explained.
func (rs *Set) Explain(sites []*inbound.Site, q Question) (Explanation, error) {
	x := Explanation{URL: q.Address}
	subject, err := ParseSubject(q.Address, sites)
	var bad *urlpath.Error
	if errors.As(err, &bad) {
		x.Decision, x.Status, x.Reason = string(Refuse), http.StatusBadRequest, bad.Reason
		return x, nil
	}
	if err != nil {
		return x, err
	}
	x.Canonical, x.Readings = subject.Path.String(), subject.Path.Alternatives()
	if path, own := rs.endpoint(subject.Path); own {
		x.Decision, x.Status, x.Reason = string(Public), http.StatusOK, ReasonGateway
		x.Rule = &Ref{Name: GatewayRule, Path: path}
		return x, nil
	}
	method := strings.ToUpper(q.Method)
	if method == "" {
		method = http.MethodGet
	}
	d := rs.Match(subject.Host, subject.Path).Decide(method, subject.Params, q.As, time.Now())
	x.Decision, x.Status, x.Reason = string(d.Kind), d.Status, d.Reason
	if x.Status == 0 {
		x.Status = http.StatusOK
	}
	x.Rule = &d.Rule
	x.Asks = rs.Protection(subject.Host, subject.Path, subject.Params).String()
	x.NearMiss = rs.NearMisses(subject.Host, subject.Path)
	return x, nil
}

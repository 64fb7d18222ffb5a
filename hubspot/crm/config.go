package crm

import "github.com/hubgate/hubgate/internal/setting"

// Config is an account and the addresses of HubSpot's APIs.
type Config struct {
	HubID       int64
	AccessToken setting.Secret
	APIURL      string
	APIVersion  string       // a dated version, such as 2026-09
	RateLimit   setting.Rate // of an Account; a Client has a Limiter
	FormURL     string       // the API of form submissions
	FormID      string       // the form that Submit submits
}

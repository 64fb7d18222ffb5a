package openid

import "testing"

func TestIssuerURLOfUserPoolFollowsPartition(t *testing.T) {
	t.Parallel()
	for pool, want := range map[string]string{
		"eu-west-1_AbCdEf123":      "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
		"ap-southeast-1_AbCdEf123": "https://cognito-idp.ap-southeast-1.amazonaws.com/ap-southeast-1_AbCdEf123",
		"us-gov-west-1_AbCdEf123":  "https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_AbCdEf123",
		"cn-north-1_AbCdEf123":     "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_AbCdEf123",
		"cn-northwest-1_AbCdEf123": "https://cognito-idp.cn-northwest-1.amazonaws.com.cn/cn-northwest-1_AbCdEf123",
		"eusc-de-east-1_AbCdEf123": "https://cognito-idp.eusc-de-east-1.amazonaws.eu/eusc-de-east-1_AbCdEf123",
		"us-iso-east-1_AbCdEf123":  "https://cognito-idp.us-iso-east-1.c2s.ic.gov/us-iso-east-1_AbCdEf123",
		"us-isob-east-1_AbCdEf123": "https://cognito-idp.us-isob-east-1.sc2s.sgov.gov/us-isob-east-1_AbCdEf123",
	} {
		byPool := Config{UserPool: pool}
		if got := byPool.IssuerURL(); got != want {
			t.Errorf("%s: %s, want %s", pool, got, want)
		}
		for name, c := range map[string]Config{"user_pool": byPool, "issuer": {Issuer: want}} {
			if problems := c.validateIssuer(); len(problems) > 0 || !c.Cognito() {
				t.Errorf("%s of %s: %v, Cognito: %v", name, pool, problems, c.Cognito())
			}
		}
	}
}

// An endpoint that hubgate does not know of is written as the issuer.
func TestIssuerURLOfUnknownPartitionIsAccepted(t *testing.T) {
	t.Parallel()
	for _, issuer := range []string{
		"https://cognito-idp.eu-west-1.api.aws/eu-west-1_AbCdEf123",
		"https://cognito-idp.xx-new-1.aws.example/xx-new-1_AbCdEf123",
	} {
		c := Config{Issuer: issuer}
		if problems := c.validateIssuer(); len(problems) > 0 || c.IssuerURL() != issuer || !c.Cognito() {
			t.Errorf("%s: %v", issuer, problems)
		}
	}
	for _, wrong := range []string{"cn-north_AbCdEf1", "china-north-1_AbCdEf1", "eusc-de-east-1", "cn-north-1_Ab.x/y"} {
		if problems := (Config{UserPool: wrong}).validateIssuer(); len(problems) == 0 {
			t.Errorf("%s is taken", wrong)
		}
	}
}

package openid

import "testing"

// One source must not verify the address of the other one.
func TestMergeKeepsVerificationWithItsAddress(t *testing.T) {
	t.Parallel()
	type claims = map[string]any
	const ada, eve = "ada@example.com", "eve@example.com"
	about := func(email, verified any) claims { return claims{"email": email, "email_verified": verified} }
	for name, c := range map[string]struct {
		token, info claims
		email       string
		verified    bool
	}{
		"the ID token has both":       {about(ada, true), claims{}, ada, true},
		"userinfo has both":           {claims{}, about(ada, "true"), ada, true},
		"the same address":            {claims{"email": ada}, about(ada, true), ada, true},
		"the ID token is preferred":   {about(ada, false), about(ada, true), ada, false},
		"userinfo verifies another":   {claims{"email": ada}, about(eve, true), ada, false},
		"userinfo verifies none":      {claims{"email": ada}, claims{"email_verified": true}, ada, false},
		"the ID token verifies none":  {claims{"email_verified": true}, claims{"email": eve}, eve, false},
		"userinfo does not verify it": {claims{"email_verified": true}, about(eve, false), eve, false},
		"an address of another type":  {claims{"email": []any{ada}}, about(eve, true), "", false},
	} {
		id := &Identity{}
		id.User.Claims = c.token
		(&Provider{}).merge(id, c.info)
		if id.User.Email != c.email || id.User.EmailVerified != c.verified {
			t.Errorf("%s: %q, verified %v", name, id.User.Email, id.User.EmailVerified)
		}
	}
}

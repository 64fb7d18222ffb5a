package page

import "time"

// samples returns one page of every name, and others of causes that change it, filled in as its caller does.
func samples() map[string]Page {
	signOut := func(label Label) Form {
		return Form{Label: label, Action: "/oauth2/sign_out", Fields: []Field{{Name: "token", Value: "sealed"}}}
	}
	everywhere := signOut(LabelLogoutAll)
	everywhere.Quiet, everywhere.Sessions = true, 3
	began := time.Date(2026, time.November, 24, 9, 30, 0, 0, time.UTC)
	denied := func(cause string) Page {
		return Page{Name: Forbidden, Cause: cause, Args: map[string]string{"account": "bob@example.com"},
			Forms: []Form{signOut(LabelUseOther)}, Links: []Link{{LabelHome, "/"}}}
	}
	return map[string]Page{
		"login_failed": {Name: LoginFailed, Cause: "denied",
			Links: []Link{{LabelRetry, "/oauth2/start?rd=%2Fmembers%2F"}, {LabelHome, "/"}}},
		"login_required":             {Name: LoginRequired, Links: []Link{{LabelLogin, "/oauth2/start?rd=%2Fmembers%2F"}}},
		"nothing_saved":              {Name: NothingSaved, Links: []Link{{LabelBack, "/members/"}}},
		"forbidden":                  denied(""),
		"forbidden_lists":            denied("lists"),
		"forbidden_properties":       denied("properties"),
		"forbidden_email_unverified": denied("email_unverified"),
		"unavailable_crm": {Name: Unavailable, Cause: "crm", RetryAfter: 5 * time.Second,
			Forms: []Form{signOut(LabelUseOther)}, Links: []Link{{LabelRetry, ""}, {LabelHome, "/"}}},
		"login_too_old":   {Name: LoginTooOld, Forms: []Form{signOut(LabelLogout)}, Links: []Link{{LabelHome, "/"}}},
		"refused":         {Name: Refused, Cause: "encoded_slash"},
		"loop":            {Name: Loop, Cause: "cookie_missing", Links: []Link{{LabelRetry, "/members/"}}},
		"scheme":          {Name: Scheme, Cause: "scheme"},
		"misdirected":     {Name: Misdirected},
		"not_found":       {Name: NotFound},
		"method_refused":  {Name: MethodRefused, Args: map[string]string{"method": "DELETE"}},
		"too_large":       {Name: TooLarge},
		"too_many":        {Name: TooMany, RetryAfter: 41 * time.Second},
		"unavailable":     {Name: Unavailable, Cause: "store", RetryAfter: 5 * time.Minute},
		"misconfigured":   {Name: Misconfigured},
		"internal_error":  {Name: InternalError},
		"bad_gateway":     {Name: BadGateway, Cause: "dial"},
		"gateway_timeout": {Name: GatewayTimeout, Cause: "timeout"},
		"sign_out":        {Name: SignOut, Forms: []Form{signOut(LabelLogout)}, Links: []Link{{LabelHome, "/"}}},
		"signed_out":      {Name: SignedOut, Links: []Link{{LabelHome, "/"}}},
		"my_session": {Name: MySession,
			Rows: []Row{{Label: LabelAccount, Value: "alice@example.com"}, {Label: LabelSince, Time: began},
				{Label: LabelUntil, Time: began.Add(12 * time.Hour), Left: 12 * time.Hour},
				{Label: LabelGroups, Value: "members, partner"}},
			Links: []Link{{LabelBackToSite, "/"}}, Forms: []Form{signOut(LabelLogout), everywhere},
			FormOrigins: []string{"https://login.example.com"}},
		"test_login": testLogin(began),
	}
}

// testLogin returns the page of a configuration test.
func testLogin(began time.Time) Page {
	text := func(value string) Cell { return Cell{Text: value} }
	finding := func(word string) Cell { return Cell{Finding: word} }
	claim := func(name string) Cell { return Cell{Finding: "claim", Text: name, Code: true} }
	const sub = "7f1c0a52-1df3-4be0-b7b5-2f2d1f0a3c11"
	claims := []Label{"claim", "id_token", "access_token", "userinfo", "property"}
	return Page{Name: TestLogin,
		Verdict: []Sentence{{Finding: "login"}, {Finding: "contact_updated", Ago: 2500 * time.Millisecond},
			{Finding: "rules", N: 2, Total: 3}},
		Rows: []Row{{Label: LabelAccount, Value: "alice@example.com"}, {Label: LabelSince, Time: began},
			{Label: LabelUntil, Time: began.Add(12 * time.Hour), Left: 12 * time.Hour}},
		Links: []Link{{LabelRetest, "/oauth2/start?rd=%2Foauth2%2Ftest"}, {LabelHome, "/"}},
		Tables: []Table{
			{Caption: "sent", Columns: []Label{"property", "value", "source", "write", "dropped"}, Rows: [][]Cell{
				{text("firstname"), text("Alice"), claim("given_name"), finding("if_empty"), {}},
				{text("tier"), {}, claim("custom:tier"), finding("always"), finding("not_an_option")}}},
			{Caption: "claims", Columns: claims, Rows: [][]Cell{
				{text("cognito:groups"), text("members, partner"), text("members, partner"), {}, text("portal_groups")},
				{text("given_name"), text("Alice"), {}, text("Alice"), text("firstname")},
				{text("sub"), text(sub), text(sub), text(sub), {}},
				{finding("userinfo"), {}, {}, {Finding: "failed", Text: "503 Service Unavailable", Code: true}, {}}}},
			{Caption: "known", Columns: []Label{"fact", "answer"}, Rows: [][]Cell{
				{{Finding: "list", Text: "customers (1234)"}, finding("yes")}, {finding("read"), {Time: began}}}},
			{Caption: "rules", Columns: []Label{"rule", "paths", "asks", "open"}, Rows: [][]Cell{
				{text("/members/**"), {}, {Text: "login", Code: true}, finding("yes")},
				{text("/gold/**"), {}, {Text: "login, hubspot.member_tier gold", Code: true}, finding("yes")},
				{text("/staff/**"), {}, {Text: "login, groups staff", Code: true}, finding("groups")}}},
			{Caption: "protocol", Columns: claims, Folded: true, Rows: [][]Cell{
				{text("exp"), {Time: began.Add(time.Hour)}, {Time: began.Add(time.Hour)}, {}, {}},
				{text("iss"), text("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123"), {}, {}, {}}}},
		}}
}

package backfill

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readAll returns the people of a file, the faults of its bad rows, and the error that ends it, if any.
func readAll(source io.Reader, trustEmails bool) (rows []Row, faults []string, err error) {
	r, err := NewReader(source, trustEmails)
	for err == nil {
		var row Row
		var bad *RowError
		switch row, err = r.Next(); {
		case err == nil:
			rows = append(rows, row)
		case errors.As(err, &bad):
			faults, err = append(faults, fmt.Sprintf("%d: %s", bad.Line, bad.Fault)), nil
			if bad.Cure == "" {
				faults = append(faults, "no cure")
			}
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return rows, faults, err
}

func person(number, line int, claims ...string) Row {
	row := Row{Number: number, Line: line, Claims: map[string]string{}}
	for i := 0; i < len(claims); i += 2 {
		row.Claims[claims[i]] = claims[i+1]
	}
	return row
}

func TestReaderReadsPeople(t *testing.T) {
	t.Parallel()
	ada := person(1, 2, "email", "ada@example.com", "email_verified", "true", "given_name", "Ada")
	for name, c := range map[string]struct {
		text string
		want []Row
	}{
		"commas":     {"email,email_verified,given_name\nada@example.com,true,Ada\n", []Row{ada}},
		"semicolons": {"email;email_verified;given_name\r\nada@example.com;true;Ada", []Row{ada}},
		"mark":       {"\uFEFFemail,email_verified,given_name\r\nada@example.com,true,Ada\r\n\r\n,,\r\n", []Row{ada}},
		"spaces":     {" email , email_verified,given_name\n ada@example.com , true , Ada \n", []Row{ada}},
		"quotes": {"\"email\",email_verified,\"custom:note\"\n" +
			"\"ada@example.com\",TRUE,\"a \"\"b\"\",\n\nc\"\nbob@example.com,true,\"\"\n",
			[]Row{
				person(1, 2, "email", "ada@example.com", "email_verified", "TRUE", "custom:note", "a \"b\",\n\nc"),
				person(2, 5, "email", "bob@example.com", "email_verified", "true", "custom:note", ""),
			}},
		"empty fields": {"email,email_verified,given_name,sub\nada@example.com,true,,\n",
			[]Row{person(1, 2, "email", "ada@example.com", "email_verified", "true", "given_name", "", "sub", "")}},
		"only a header": {"email,email_verified", nil},
		"users": {`{"Users": [
  {"Username": "u1", "Enabled": true, "UserStatus": "CONFIRMED", "UserCreateDate": 1.7e9, "MFAOptions": [{"a": 1}],
   "Attributes": [{"Name": "sub", "Value": "u1"}, {"Name": "email", "Value": "ada@example.com"},
    {"Name": "email_verified", "Value": "true"}]},
  {"Username": "u2", "Attributes": [{"Name": "email", "Value": "bob@example.com"}, {"Name": "custom:age", "Value": 42},
    {"Name": "custom:id", "Value": 1234567890123456789}, {"Name": "email_verified", "Value": true},
    {"Name": "name", "Value": null}]}
], "x": {"Users": [1]}}
`, []Row{
			person(1, 2, "cognito:username", "u1", "sub", "u1", "email", "ada@example.com", "email_verified", "true"),
			person(2, 5, "cognito:username", "u2", "email", "bob@example.com", "email_verified", "true",
				"custom:age", "42", "custom:id", "1234567890123456789", "name", ""),
		}},
		"no users": {`{"Users":[]}`, nil},
	} {
		got, faults, err := readAll(strings.NewReader(c.text), false)
		if d := cmp.Diff(c.want, got); d != "" || len(faults) > 0 || err != nil {
			t.Errorf("%s: %v %v %s", name, faults, err, d)
		}
	}
}

func TestReaderReadsLargeFiles(t *testing.T) {
	t.Parallel()
	table, list := []string{"email"}, []string{`{"Users":[{"Username":"nobody"}`}
	for i := range 10_000 {
		table = append(table, fmt.Sprintf("\np%d@example.com", i))
		list = append(list, fmt.Sprintf(",\n"+`{"Attributes":[{"Name":"email","Value":"p%d@example.com"}]}`, i))
	}
	for text, line := range map[string]int{strings.Join(table, ""): 10_001, strings.Join(list, "") + "]}": 10_001} {
		rows, _, err := readAll(strings.NewReader(text), true)
		if err != nil || len(rows) != 10_000 || rows[9999].Line != line {
			t.Errorf("%.20s: %d rows, %v", text, len(rows), err)
		}
	}
}

func TestReaderNamesBadRows(t *testing.T) {
	t.Parallel()
	const header = "email,email_verified,sub\n"
	const good = "good@example.com,true,good\n" // the last row, which a fault before it must not affect
	for name, c := range map[string]struct {
		text  string
		fault string
	}{
		"no address":         {",true,s\n", "2: no e-mail address"},
		"not an address":     {"ada,true,s\n", "2: email is not an e-mail address"},
		"two addresses":      {"\"a@x.de,b@x.de\",true,s\n", "2: email is not an e-mail address"},
		"unverified":         {"ada@example.com,false,s\n", "2: email_verified is not true"},
		"verified with 1":    {"ada@example.com,1,s\n", "2: email_verified is \"1\", which is neither true nor false"},
		"unknown":            {"ada@example.com,,s\n", "2: email_verified is not true"},
		"few fields":         {"ada@example.com,true\n", "2: has 2 fields, but the header has 3"},
		"many fields":        {"ada@example.com,true,a,b\n", "2: has 4 fields, but the header has 3"},
		"one field":          {"ada@example.com\n", "2: has 1 field, but the header has 3"},
		"NUL":                {"ada@example.com,true,a\x00\n", "2: contains a NUL byte"},
		"Latin-1":            {"ada@example.com,true,M\xFCller\n", "2: is not UTF-8"},
		"quote inside":       {"ada@example.com,true,a\"b\n", "2: a quote inside of a field without quotes"},
		"text after a quote": {"ada@example.com,true,\"a\"b\n", "2: text after a closing quote"},
		"open quote":         {"ada@example.com,true,\"a\n", "2: a quote is never closed"},
		"long row":           {"ada@example.com,true," + strings.Repeat("x", 1<<20) + "\n", "2: longer than 128 KiB"},
		"long quoted row":    {"a@x.de,true,\"" + strings.Repeat("x\n", 1<<17), "2: longer than 128 KiB"},
	} {
		rows, faults, err := readAll(strings.NewReader(header+c.text+good), false)
		if len(faults) == 0 || faults[0] != c.fault || err != nil {
			t.Errorf("%s: %.300q %v, want %q", name, faults, err, c.fault)
		}
		if len(rows) != 1 || rows[0].Claims["sub"] != "good" {
			t.Errorf("%s: the row after it is lost: %v", name, rows)
		}
	}
}

func TestReaderNamesRepeatedPeople(t *testing.T) {
	t.Parallel()
	rows, faults, err := readAll(strings.NewReader(`email,email_verified,sub
ada@example.com,false,a
ada@example.com,true,a
Ada@Example.COM,true,b
bob@example.com,true,a
bob@example.com,true,b
`), false)
	want := []string{
		"2: email_verified is not true", "4: the email of line 3 again", "5: the sub of line 3 again",
	}
	if d := cmp.Diff(want, faults); d != "" || err != nil || len(rows) != 2 {
		t.Errorf("%v %v %s", rows, err, d)
	}
}

func TestReaderTrustsEmailsOnRequest(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"email,email_verified\nada@example.com,false\n", "email\nada@example.com\n",
		`{"Users":[{"Attributes":[{"Name":"email","Value":"ada@example.com"}]}]}`,
	} {
		rows, faults, err := readAll(strings.NewReader(text), true)
		if len(rows) != 1 || len(faults) > 0 || err != nil {
			t.Errorf("%q: %v %v %v", text, rows, faults, err)
		}
	}
}

func TestReaderNamesBadUsers(t *testing.T) {
	t.Parallel()
	const email = `{"Name":"email","Value":"ada@example.com"},{"Name":"email_verified","Value":"true"}`
	for name, c := range map[string]struct{ user, fault string }{
		"object":          {`{"Attributes":[` + email + `,{"Name":"address","Value":{"city":"x"}}]}`, "attribute is not"},
		"list":            {`{"Attributes":[` + email + `,{"Name":"a","Value":["x"]}]}`, "attribute is not"},
		"no name":         {`{"Attributes":[` + email + `,{"Value":"x"}]}`, "attribute is not"},
		"attribute twice": {`{"Attributes":[` + email + `,{"Name":"email","Value":"bob@example.com"}]}`, "attribute twice"},
		"NUL":             {`{"Attributes":[` + email + `,{"Name":"a","Value":"\u0000"}]}`, "NUL"},
		"disabled":        {`{"Enabled":false,"Attributes":[` + email + `]}`, "disabled"},
		"a number":        {`17`, "not a user"},
		"a name":          {`"ada@example.com"`, "not a user"},
		"null":            {`null`, "no e-mail address"},
		"wrong types":     {`{"Attributes":{"email":"ada@example.com"}}`, "not a user"},
		"no address":      {`{"Username":"ada"}`, "no e-mail address"},
	} {
		text := "{\"Users\":[\n" + c.user + ",\n{\"Attributes\":[" + email + "]}]}"
		rows, faults, err := readAll(strings.NewReader(text), false)
		if len(faults) != 1 || !strings.HasPrefix(faults[0], "2: ") || !strings.Contains(faults[0], c.fault) || err != nil ||
			len(rows) != 1 || rows[0].Line != 3 {
			t.Errorf("%s: %v %v %v", name, rows, faults, err)
		}
	}
	_, faults, err := readAll(strings.NewReader(`{"PaginationToken":"x","Users":[]}`), false)
	if len(faults) != 1 || !strings.Contains(faults[0], "not complete") || err != nil {
		t.Errorf("one page of several: %v %v", faults, err)
	}
}

func TestReaderRejectsFiles(t *testing.T) {
	t.Parallel()
	for text, fault := range map[string]string{
		"":                                           "line 1: the file is empty",
		"\n":                                         "line 1: the file is empty",
		"\xFF\xFEe\x00m\x00a\x00i\x00l\x00":          "line 1: the file is UTF-16",
		"\xFE\xFF\x00e\x00m\x00a\x00i\x00l":          "line 1: the file is UTF-16",
		"e\x00m\x00a\x00i\x00l\x00\n\x00":            "line 1: contains a NUL byte",
		"email\remail_verified\r":                    "lines end with CR only",
		"email,email_verified,sub,email\n":           `columns 1 and 4 are both "email"`,
		"email;email_verified;a;a\n":                 `columns 3 and 4 are both "a"`,
		"email,email_verified,\n":                    "column 3 has no name",
		"\n\nname,email_verified\nada,true\n":        "line 3: there is no column email",
		"E-Mail,email_verified\n":                    `rename the column "E-Mail" to email`,
		"email\tverified\n":                          "there is no column email",
		"email,name\n":                               "there is no column email_verified",
		"\"email,email_verified\n":                   "a quote is never closed",
		strings.Repeat("x", 1<<20):                   "the header is too long",
		`{}`:                                         `there is no "Users"`,
		`{"Users":{}}`:                               `"Users" is not a list`,
		`{"Users":[]`:                                "not valid JSON",
		`{"Users":[`:                                 "not valid JSON",
		"{\"Users\":[{},\n}":                         "line 1: not valid JSON",
		`{"Users":[]}{"Users":[]}`:                   "the file continues",
		`{"Users":[],"Users":[]}`:                    `"Users" twice`,
		`{"Users":["` + strings.Repeat("x", 1<<20):   "a user of more than 128 KiB",
		`{"Users":[` + strings.Repeat("[", 1<<14):    "not valid JSON",
		`{"` + strings.Repeat("x", 1<<20):            "a user of more than 128 KiB",
		`{"a":"` + strings.Repeat("x", 1<<20) + `"}`: "a user of more than 128 KiB",
		`{"Users":[{}` + strings.Repeat(" ", 1<<20):  "a user of more than 128 KiB",
		"email,email_verified\n" + `{"Users":[]}`:    "",
		"email,email_verified\n\"\n\"\"\n\"\"\"\n\"": "",
	} {
		_, _, err := readAll(strings.NewReader(text), false)
		if fault == "" && err == nil {
			continue
		}
		var bad *FileError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), fault) || bad.Cure == "" {
			t.Errorf("%.60q: %v, want %q", text, err, fault)
		}
	}
}

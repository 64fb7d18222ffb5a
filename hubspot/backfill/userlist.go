package backfill

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

const outputCure = "write the whole output of aws cognito-idp list-users into the file"

// userList is the JSON of Cognito's ListUsers, or only its list of users ("--query Users").
type userList struct {
	source  *boundedReader
	json    *json.Decoder
	number  int // users that were read
	in      bool
	partial bool // the list has a pagination token
	bare    bool // the list is not in an object
}

// user is a user of the list. Attributes with the same meaning as claims of ID tokens have the same names.
type user struct {
	Username   string
	Attributes []struct {
		Name  string
		Value any
	}
	Enabled *bool
}

func newUserList(r io.Reader) (*userList, error) {
	l := &userList{source: &boundedReader{source: r, left: maxRow}}
	l.json = json.NewDecoder(l.source)
	l.json.UseNumber()
	begin, err := l.json.Token()
	if err != nil {
		return nil, l.fault(err)
	}
	if begin == json.Delim('[') {
		l.in, l.bare = true, true
		return l, nil
	}
	found, err := l.findUsers()
	if err == nil && !found {
		err = &FileError{l.line(), `there is no "Users"`, outputCure}
	}
	return l, err
}

// findUsers reads the object's members up to the beginning of its list of users, or to the end of the file.
func (l *userList) findUsers() (found bool, err error) {
	for l.json.More() {
		l.source.left = maxRow
		name, err := l.json.Token()
		if err != nil {
			return false, l.fault(err)
		}
		if name == "Users" {
			begin, err := l.json.Token()
			if err == nil && begin != json.Delim('[') {
				err = errors.New(`"Users" is not a list`)
			}
			l.in = err == nil
			return l.in, l.fault(err)
		}
		var value any
		if err := l.json.Decode(&value); err != nil {
			return false, l.fault(err)
		}
		token, isText := value.(string)
		l.partial = l.partial || isText && token != "" && (name == "PaginationToken" || name == "NextToken")
	}
	return false, l.endOfFile()
}

// endOfFile reads the end of the object and of the file.
func (l *userList) endOfFile() error {
	if _, err := l.json.Token(); err != nil { // }
		return l.fault(err)
	}
	return l.endOfText()
}

func (l *userList) endOfText() error {
	if _, err := l.json.Token(); !errors.Is(err, io.EOF) {
		return l.fault(cmp.Or(err, errors.New("the file continues after the list")))
	}
	return nil
}

// fault returns why the file cannot be read on. Syntax errors of JSON leave no place to resume at.
func (l *userList) fault(err error) error {
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errTooLong):
		return &FileError{l.line(), fmt.Sprintf("a user of more than %d KiB", maxRow>>10), "shorten the attributes"}
	case errors.As(err, &syntax), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &FileError{l.line(), "not valid JSON: " + err.Error(), outputCure}
	case l.source.err != nil:
		return l.source.err
	}
	return &FileError{l.line(), err.Error(), outputCure}
}

// line returns the line of the next token.
func (l *userList) line() int { return l.source.lineAt(l.json.InputOffset()) }

func (l *userList) next() (Row, error) {
	if l.in && !l.json.More() {
		if err := l.leave(); err != nil {
			return Row{}, err
		}
	}
	if !l.in {
		return Row{}, l.end()
	}
	l.source.left = maxRow
	var text json.RawMessage
	if err := l.json.Decode(&text); err != nil {
		return Row{}, l.fault(err)
	}
	l.number++
	row := Row{Number: l.number, Line: l.source.lineAt(l.json.InputOffset() - int64(len(text)))}
	var fault, cure string
	if row.Claims, fault, cure = userClaims(text); fault != "" {
		return Row{}, &RowError{row.Number, row.Line, fault, cure}
	}
	return row, nil
}

// leave reads what follows the list of users.
func (l *userList) leave() error {
	l.in = false
	if _, err := l.json.Token(); err != nil { // ]
		return l.fault(err)
	}
	if l.bare {
		return l.endOfText()
	}
	again, err := l.findUsers()
	if err == nil && again {
		return &FileError{l.line(), `"Users" twice`, "write one list into the file"}
	}
	return err
}

// end reports the end of the list, after a fault if it is not complete.
func (l *userList) end() error {
	if !l.partial {
		return io.EOF
	}
	l.partial = false
	return &RowError{0, l.line(), "the list is not complete: it has a pagination token",
		"run aws cognito-idp list-users without --max-items and --no-paginate"}
}

// userClaims returns the claims that a user's ID token would have, or why the user cannot be imported.
func userClaims(text []byte) (claims map[string]string, fault, cure string) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var u user
	if err := decoder.Decode(&u); err != nil {
		return nil, "not a user of Cognito", outputCure
	}
	if u.Enabled != nil && !*u.Enabled {
		return nil, "the user is disabled", "enable the user, or remove it from the file"
	}
	claims = map[string]string{}
	if u.Username != "" {
		claims["cognito:username"] = u.Username
	}
	for _, a := range u.Attributes {
		text, isText := attributeText(a.Value)
		_, twice := claims[a.Name]
		switch {
		case !isText || a.Name == "":
			return nil, "an attribute is not a name with a text", "write its value as text"
		case strings.Contains(text, "\x00"):
			return nil, "contains a NUL byte", "remove it"
		case twice:
			return nil, "has an attribute twice", "remove one of them"
		}
		claims[a.Name] = text
	}
	return claims, "", ""
}

// attributeText returns the text of an attribute's value.
func attributeText(value any) (text string, isText bool) {
	switch v := value.(type) {
	case nil:
		return "", true
	case string:
		return strings.TrimSpace(v), true
	case json.Number:
		return v.String(), true
	case bool:
		return fmt.Sprint(v), true
	}
	return "", false
}

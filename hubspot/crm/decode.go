package crm

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// errTooLarge means that a response was larger than maxResponse.
var errTooLarge = fmt.Errorf("HubSpot's response is larger than %d MiB", maxResponse>>20)

// decodeResponse decodes the body of a response. The error says what is wrong with it.
func decodeResponse(body []byte, into any) error {
	if len(body) >= maxResponse { // it was cut there
		return errTooLarge
	}
	err := json.Unmarshal(body, into)
	var member *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &member) && member.Field != "":
		return fmt.Errorf("in HubSpot's response, the member %q must not be of type %s", member.Field, typeOf(member))
	case errors.As(err, &member):
		return fmt.Errorf("HubSpot's response must be an object, not of type %s", typeOf(member))
	}
	begin := sanitize(string(body[:min(len(body), 60)]))
	return fmt.Errorf("HubSpot's response is not JSON (%w); it begins with %q", err, begin)
}

// typeOf returns the type that JSON has instead, without the value that encoding/json adds to numbers.
func typeOf(member *json.UnmarshalTypeError) string {
	name, _, _ := strings.Cut(member.Value, " ")
	return name
}

func missingMember(name string) error {
	return fmt.Errorf("HubSpot's response has no member %q", name)
}

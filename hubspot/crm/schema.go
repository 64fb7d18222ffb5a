package crm

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// Property is HubSpot's definition of a contact property.
type Property struct {
	Name           string `json:"name"`
	Label          string `json:"label"`
	GroupName      string `json:"groupName"`
	Type           string `json:"type"` // bool date datetime enumeration number phone_number string
	FieldType      string `json:"fieldType"`
	HasUniqueValue bool   `json:"hasUniqueValue"`
	Calculated     bool   `json:"calculated"`
	Archived       bool   `json:"archived"`
	Options        []struct {
		Label string `json:"label"`
		Value string `json:"value"`
	} `json:"options"`
	Modification struct {
		ReadOnlyValue bool `json:"readOnlyValue"`
	} `json:"modificationMetadata"`
}

// Schema is HubSpot's definitions by name. While it is nil, every value is sent as text.
type Schema map[string]Property

// parseSchema reads the response with all definitions.
func parseSchema(body []byte) (Schema, error) {
	var list struct {
		Results []Property `json:"results"`
	}
	if err := json.Unmarshal(body, &list); err != nil || len(list.Results) == 0 {
		return nil, errUnexpectedResponse
	}
	s := make(Schema, len(list.Results))
	for _, p := range list.Results {
		s[p.Name] = p
	}
	return s, nil
}

// Unwritable returns why no value can be written into a property, or "".
func (s Schema) Unwritable(name string) string {
	p, known := s[name]
	switch {
	case s != nil && (!known || p.Archived):
		return "HubSpot has no such property"
	case p.Calculated || p.Modification.ReadOnlyValue:
		return "HubSpot's property is read-only"
	}
	return ""
}

var propertyForm = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// IsPropertyName reports whether a name can be the internal name of a property.
func IsPropertyName(name string) bool { return propertyForm.MatchString(name) }

// IsReadOnly reports whether a property is one of HubSpot's own that the API cannot write.
func IsReadOnly(name string) bool {
	return slices.Contains(readOnly, name) || strings.HasPrefix(name, "hs_") && !slices.Contains(writableInternal, name)
}

// readOnly are HubSpot's own properties that the API cannot write.
var readOnly = []string{
	"createdate", "lastmodifieddate", "num_notes", "num_contacted_notes", "num_associated_deals",
	"num_unique_conversion_events", "num_conversion_events", "first_conversion_date", "first_conversion_event_name",
	"recent_conversion_date", "recent_conversion_event_name", "notes_last_contacted", "notes_last_updated",
	"associatedcompanyid", "associatedcompanylastupdated", "currentlyinworkflow", "days_to_close",
	"first_deal_created_date", "recent_deal_amount", "recent_deal_close_date", "total_revenue",
	"webinareventlastupdated", "vid", "hubspot_owner_assigneddate", "notes_next_activity_date",
	"engagements_last_meeting_booked", "ip_city", "ip_country", "ip_country_code", "ip_state", "ip_state_code",
	"ip_zipcode", "ip_latlon",
}

// writableInternal are the few hs_ properties that the API can write.
var writableInternal = []string{
	"hs_additional_emails", "hs_content_membership_notes", "hs_content_membership_status", "hs_facebook_click_id",
	"hs_google_click_id", "hs_language", "hs_lead_status", "hs_legal_basis", "hs_marketable_status", "hs_persona",
	"hs_timezone", "hs_whatsapp_phone_number", "hs_linkedin_url", "hs_country_region_code", "hs_state_code",
	"hs_job_change_detected_date", "hs_role", "hs_seniority", "hs_sub_role",
}

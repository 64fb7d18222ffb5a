package crm

import "strings"

// wireBranch is a branch of a list's filters.
type wireBranch struct {
	Type     string       `json:"filterBranchType"`
	Property string       `json:"propertyWithObjectId"`
	Branches []wireBranch `json:"filterBranches"`
	Filters  []wireFilter `json:"filters"`
}

// wireFilter is one filter. Only the members of property and list filters are decoded.
type wireFilter struct {
	Type      string     `json:"filterType"`
	Property  string     `json:"property"`
	ListID    flexString `json:"listId"`
	Operator  string     `json:"operator"`
	Operation struct {
		Operator     string        `json:"operator"`
		OrNoValue    bool          `json:"includeObjectsWithNoValueSet"`
		ComparedWith string        `json:"comparisonPropertyName"`
		TimePoint    wireTimePoint `json:"timePoint"`
		Lower        wireTimePoint `json:"lowerBoundTimePoint"`
		Upper        wireTimePoint `json:"upperBoundTimePoint"`
	} `json:"operation"`
	Metadata *struct {
		Type string `json:"inListType"`
	} `json:"metadata"`
}

// wireTimePoint is a time that a filter compares with; it may be that of another property.
type wireTimePoint struct {
	Property string `json:"property"`
}

// addBranch adds what a branch rests on. The filters of a branch about associated records, or about events, are about
// the properties of those, not of contacts.
func (l *List) addBranch(b wireBranch) {
	switch b.Type {
	case "AND", "OR", "NOT_ALL", "NOT_ANY":
	case "RESTRICTED": // HubSpot withholds filters that the key may not see
		l.addFilter(b.Type)
	default:
		l.addFilter(b.Type)
		l.addProperty(b.Property)
		return
	}
	for _, f := range b.Filters {
		l.add(f)
	}
	for _, inner := range b.Branches {
		l.addBranch(inner)
	}
}

func (l *List) add(f wireFilter) {
	switch {
	case f.Type == "PROPERTY" && IsPropertyName(f.Property):
		for _, name := range []string{
			f.Property, f.Operation.ComparedWith, f.Operation.TimePoint.Property,
			f.Operation.Lower.Property, f.Operation.Upper.Property,
		} {
			l.addProperty(name)
		}
	case f.Type == "IN_LIST" && f.Metadata == nil && isRecordID(string(f.ListID)):
		l.Lists = append(l.Lists, string(f.ListID))
	case f.Type == "IN_LIST" && f.Metadata != nil: // people in a workflow or an import
		l.addFilter(f.Metadata.Type)
	default:
		l.addFilter(f.Type)
	}
}

func (l *List) addProperty(name string) {
	if IsPropertyName(name) {
		l.Properties = append(l.Properties, name)
	}
}

// addFilter adds a kind of filters. One without a usable name is unknown, not absent.
func (l *List) addFilter(kind string) {
	if !codeForm.MatchString(kind) {
		kind = "UNKNOWN"
	}
	l.Filters = append(l.Filters, kind)
}

// open reports whether a branch holds for a contact of which nothing is known. Filters that say what members lack hold
// for everyone who logs in for the first time.
func (b wireBranch) open() bool {
	some, all := false, len(b.Filters)+len(b.Branches) > 0
	for _, f := range b.Filters {
		some, all = some || f.open(), all && f.open()
	}
	for _, inner := range b.Branches {
		some, all = some || inner.open(), all && inner.open()
	}
	switch b.Type {
	case "AND":
		return all
	case "OR":
		return some
	case "NOT_ALL":
		return !all
	case "NOT_ANY":
		return !some
	}
	return false
}

func (f wireFilter) open() bool {
	if f.Type == "PROPERTY" {
		return f.Operation.OrNoValue || f.Operation.Operator == "IS_UNKNOWN"
	}
	return strings.HasPrefix(f.Operator, "NOT_") || strings.HasPrefix(f.Operator, "HAS_NOT_")
}

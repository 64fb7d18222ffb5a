package crm

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/hubgate/hubgate/internal/dependency"
)

// List is a list of HubSpot, which HubSpot also calls a segment, with what its filters rest on.
type List struct {
	ID             string
	Name           string
	ObjectTypeID   string // 0-1 = contacts
	ProcessingType string // MANUAL, DYNAMIC or SNAPSHOT
	Deleted        bool
	// Properties are the contact properties that the filters compare.
	Properties []string
	// Lists are the ids of the lists that the filters refer to.
	Lists []string
	// Open reports whether the filters hold for a contact without values, events and lists, such as one that a first
	// login creates.
	Open bool
	// Filters are HubSpot's names of all other kinds of filters, such as FORM_SUBMISSION, and of those that it withholds.
	Filters []string
}

// List reads a list with its filters.
func (a *Account) List(ctx context.Context, id string) (List, error) {
	body, err := a.doWithRetry(ctx, call{
		op: dependency.OpLists, method: http.MethodGet,
		url: a.client.lists("/" + url.PathEscape(id) + "?includeFilters=true"),
	})
	var w struct {
		List wireList `json:"list"`
	}
	if err == nil {
		err = decodeResponse(body, &w)
	}
	switch {
	case err != nil:
	case string(w.List.ID) != id:
		err = fmt.Errorf("HubSpot's response is about the list %q", sanitize(string(w.List.ID)))
	case w.List.ObjectTypeID == "":
		err = missingMember("objectTypeId")
	}
	if err != nil {
		return List{}, fmt.Errorf("hubspot: read list %s: %w", id, err)
	}
	return w.List.list(), nil
}

// LegacyList returns the id of the list that had a legacy id, or "" if there is none.
func (a *Account) LegacyList(ctx context.Context, id string) (string, error) {
	body, err := a.doWithRetry(ctx, call{
		op: dependency.OpLists, method: http.MethodPost, url: a.client.lists("/idmapping"), body: []string{id},
	})
	var w struct {
		Mapping []struct {
			Legacy flexString `json:"legacyListId"`
			ID     flexString `json:"listId"`
		} `json:"legacyListIdsToIdsMapping"`
	}
	if err == nil {
		err = decodeResponse(body, &w)
	}
	if err == nil && w.Mapping == nil {
		err = missingMember("legacyListIdsToIdsMapping")
	}
	if err != nil {
		return "", fmt.Errorf("hubspot: read legacy list %s: %w", id, err)
	}
	for _, m := range w.Mapping {
		if string(m.Legacy) == id && isRecordID(string(m.ID)) {
			return string(m.ID), nil
		}
	}
	return "", nil
}

type wireList struct {
	ID             flexString  `json:"listId"`
	Name           string      `json:"name"`
	ObjectTypeID   string      `json:"objectTypeId"`
	ProcessingType string      `json:"processingType"`
	DeletedAt      flexString  `json:"deletedAt"`
	Branch         *wireBranch `json:"filterBranch"`
}

func (w wireList) list() List {
	l := List{
		ID: string(w.ID), Name: sanitize(w.Name), ObjectTypeID: sanitize(w.ObjectTypeID),
		ProcessingType: sanitize(w.ProcessingType), Deleted: w.DeletedAt != "",
	}
	if w.Branch != nil {
		l.addBranch(*w.Branch)
		l.Open = w.Branch.open()
	}
	for _, found := range []*[]string{&l.Properties, &l.Lists, &l.Filters} {
		slices.Sort(*found)
		*found = slices.Compact(*found)
	}
	return l
}

package access

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/setting"
)

// section is the key of the section in the file.
const section = "hubspot.access"

var (
	listNameForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,49}$`)
	listIDForm   = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
	// groupForm matches digits behind a thousands separator, groupedForm a number with such separators.
	groupForm   = regexp.MustCompile(`^[0-9]{3}$`)
	groupedForm = regexp.MustCompile(`^[1-9][0-9]{0,2}([,.'_ \x{00a0}\x{202f}’][0-9]{3})+$`)
	separator   = regexp.MustCompile(`[^0-9]`)
)

// Validate checks the section without network calls.
func (c Config) Validate() []setting.Problem {
	var p setting.Problems
	validateNames(&p, section+".properties", c.Properties)
	validateNames(&p, section+".allow_form_fields", c.AllowFormFields)
	c.validateLists(&p)
	c.validateTimes(&p)
	return p
}

// validateNames checks a list of internal names of properties.
func validateNames(p *setting.Problems, key string, names []string) {
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", key, i)
		switch {
		case !crm.IsPropertyName(name):
			p.Add(at, setting.Quote(name)+" is not the internal name of a property", nameCure(name))
		case slices.Contains(names[:i], name):
			p.Add(at, setting.Quote(name)+" is listed twice", "remove one of them")
		}
	}
}

// nameCure returns what to write instead of something that is not an internal name: a claim of a rule, or a label.
func nameCure(name string) string {
	bare := strings.ToLower(strings.TrimSpace(name))
	if i := strings.LastIndexAny(bare, ".:"); i >= 0 {
		bare = bare[i+1:]
	}
	if crm.IsPropertyName(bare) {
		return "write " + setting.Shorten(bare)
	}
	return "write the internal name, which HubSpot shows behind the symbol </> beside the property: lower-case letters, " +
		"digits and underscores, starting with a letter"
}

func (c Config) validateLists(p *setting.Problems) {
	const key = section + ".lists"
	named := map[ListID]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Lists)) {
		at, id := setting.Join(key, name), c.Lists[name]
		if id == "" && groupForm.MatchString(name) { // YAML reads {customers: 1,234} as two lists
			p.Add(at, "looks like the rest of an id with a thousands separator",
				"write ids without separators, such as {customers: 1234}")
			continue
		}
		if listIDForm.MatchString(name) && listNameForm.MatchString(string(id)) {
			p.Add(at, "the id is where the name belongs", "write "+string(id)+": "+name)
			continue
		}
		if !listNameForm.MatchString(name) {
			p.Add(at, setting.Quote(name)+" is not a valid name for a list",
				"write a short name such as customers: lower-case letters, digits, - and _, starting with a letter")
		}
		if id == "" {
			p.Add(at, "the id of the list is missing", "write the list's ILS id, such as "+setting.Shorten(name)+": 1234")
			continue
		}
		if _, err := strconv.ParseInt(string(id), 10, 64); err != nil || !listIDForm.MatchString(string(id)) {
			p.Add(at, setting.Quote(string(id))+" is not a list id, which is a positive whole number", idCure(string(id)))
			continue
		}
		if first, taken := named[id]; taken {
			p.Warn(at, fmt.Sprintf("has the same id as %s, %s", first, id), "use one name for the list, or correct the id")
			continue
		}
		named[id] = name
	}
}

// idCure returns what to write instead of something that is not the id of a list.
func idCure(id string) string {
	if groupedForm.MatchString(id) {
		return "write it without thousands separators: " + separator.ReplaceAllString(id, "")
	}
	return "write the ILS id that HubSpot shows in the details of the list, such as 1234"
}

// Bounds of the times.
const (
	minRefresh = time.Second
	lowRefresh = time.Minute // below this, the calls are worth a warning
	// minMaxStale is well above what a read may take and the 30 s for which a denial is kept: below it, access would
	// become unknown while it is read.
	minMaxStale = time.Minute
	// maxMaxStale bounds how long a person who was removed from a list keeps access while HubSpot cannot be asked, and
	// how long what HubSpot said about a person stays in Redis.
	maxMaxStale = 7 * 24 * time.Hour
)

func (c Config) validateTimes(p *setting.Problems) {
	switch refresh := c.Refresh.D(); {
	case refresh < minRefresh:
		p.Add(section+".refresh", fmt.Sprintf("%s is too short", c.Refresh),
			"write at least 1s, such as 15m; a short time costs many calls")
	case refresh >= maxMaxStale:
		p.Add(section+".refresh", fmt.Sprintf("%s is too long: max_stale must be longer, and may be 7d at most", c.Refresh),
			"write a shorter time, such as 15m")
	case refresh < lowRefresh && c.On():
		p.Warn(section+".refresh", fmt.Sprintf("1,000 active visitors cost %d calls of HubSpot's limit every %s",
			c.callsPerThousand(), c.Refresh), "write 1m or more, unless rate_limit has room for the calls")
	}
	switch stale := c.MaxStale.D(); {
	case stale < minMaxStale:
		p.Add(section+".max_stale", fmt.Sprintf("%s is too short: access would become unknown while it is read", c.MaxStale),
			"write at least 1m, such as 4h")
	case stale > maxMaxStale:
		p.Add(section+".max_stale", fmt.Sprintf("%s is too long: while HubSpot is unavailable, people keep access that "+
			"HubSpot has taken away", c.MaxStale), "write at most 7d, such as 4h")
	case stale <= c.Refresh.D() && c.Refresh.D() < maxMaxStale:
		c.validateOrder(p)
	}
}

// validateOrder reports a max_stale that is not longer than refresh, at the key that differs from its default: the
// other one may not be in the file.
func (c Config) validateOrder(p *setting.Problems) {
	const unknown = ": access would become unknown before it is read again"
	defaults := DefaultConfig()
	switch {
	case c.MaxStale == defaults.MaxStale:
		p.Add(section+".refresh", fmt.Sprintf("%s is not shorter than max_stale (default %s)", c.Refresh, c.MaxStale)+
			unknown, "write a shorter time, or a max_stale of several times refresh")
	case c.Refresh == defaults.Refresh:
		p.Add(section+".max_stale", fmt.Sprintf("%s is not longer than refresh (default %s)", c.MaxStale, c.Refresh)+
			unknown, "write a longer time, several times refresh, or a shorter refresh")
	default:
		p.Add(section+".max_stale", fmt.Sprintf("%s is not longer than refresh (%s)", c.MaxStale, c.Refresh)+unknown,
			"write a longer time, several times refresh, or a shorter refresh")
	}
}

// callsPerThousand returns how many calls it takes to read a thousand people: contacts are read in batches of 100, and
// their lists in another call for each batch.
func (c Config) callsPerThousand() int {
	const batches = 10
	if len(c.Lists) == 0 {
		return batches
	}
	return 2 * batches
}

package doctor

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/setting"
)

// reading is a configuration that only reads from HubSpot, and a key without the scope to write.
func reading(t *testing.T) (*doctor, network) {
	t.Helper()
	d, n := healthy(pool(t))
	listedWith([]string{readScope, "crm.lists.read", schemaScope}, active("1234", "Customers"))(d, n)
	d.cfg.HubSpot.Contacts.Sync = false
	return d, n
}

func TestKeyThatOnlyReadsIsEnoughWithoutContactSync(t *testing.T) {
	t.Parallel()
	d, n := reading(t)
	account := n["api.hubapi.com"]
	n["api.hubapi.com"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/batch/upsert") {
			t.Errorf("%s %s", r.Method, r.URL.Path)
		}
		account.ServeHTTP(w, r)
	})
	d.cfg.HubSpot.Contacts.Properties = map[string]mapping.Property{"never_written": {Claim: "tier"}}
	for _, f := range d.checkHubSpot(t.Context()) {
		if f.Status != setting.OK {
			t.Errorf("%+v", f)
		}
	}
}

func TestTokenIsCheckedWithoutContactSync(t *testing.T) {
	t.Parallel()
	d, _ := reading(t)
	d.cfg.HubSpot.AccessToken = "pat-na1-y"
	all := d.checkHubSpot(t.Context())
	if len(all) != 1 || all[0].Where != "hubspot.access_token" || all[0].Status != setting.Failed {
		t.Errorf("%+v", all)
	}
	d, n := reading(t)
	inAccount([]string{"crm.lists.read", schemaScope}, func(s *fakehubspot.Server) {
		s.AddList(active("1234", "Customers"))
	})(d, n)
	all = d.checkHubSpot(t.Context())
	if f := all[1]; f.Detail != "the access token lacks "+readScope || f.Cure != "add the scope to the key" {
		t.Errorf("%+v", all)
	}
}

func TestMissingWriteScopeOffersToOnlyRead(t *testing.T) {
	t.Parallel()
	d, _ := reading(t)
	d.cfg.HubSpot.Contacts.Sync = true
	all := d.checkHubSpot(t.Context())
	if f := all[1]; f.Detail != "the access token lacks "+writeScope ||
		f.Cure != "add the scope to the key, or set hubspot.contacts.sync: false if hubgate should only read" {
		t.Errorf("%+v", all)
	}
}

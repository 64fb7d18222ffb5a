package access

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

// TestKnowIsAlwaysAboutThePersonAndYoungEnough does random things to people, HubSpot, Redis and the configuration, and
// checks each answer against what was true when it was read.
func TestKnowIsAlwaysAboutThePersonAndYoungEnough(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				p := newProperty(w, seed)
				for range 250 {
					p.step()
					p.know()
				}
				if p.answers < 100 {
					t.Errorf("only %d answers", p.answers)
				}
			})
		})
	}
}

// property is a run of the property test, with what was true when.
type property struct {
	w        *world
	random   *rand.Rand
	replicas []*Access
	visitors []*session.Session
	truth    map[string][]truth // by address
	asked    []asked
	accounts int
	answers  int
}

// truth is a contact from a time on.
type truth struct {
	at      time.Time
	account string
	contact contact
	exists  bool
}

// asked is what the configuration asked for from a time on.
type asked struct {
	at  time.Time
	cfg Config
}

func newProperty(w *world, seed uint64) *property {
	p := &property{w: w, random: rand.New(rand.NewPCG(seed, 7)), truth: map[string][]truth{}}
	p.asked = []asked{{time.Now(), w.cfg}}
	for i := range 6 {
		p.visitors = append(p.visitors, visitor("v"+strconv.Itoa(i)))
		p.writeContact(p.visitors[i].Email)
	}
	for range 2 {
		a := w.idle(w.dial())
		a.deps.Urgent, a.deps.Spare = &confused{a.deps.Urgent, p}, &confused{a.deps.Spare, p}
		p.replicas = append(p.replicas, w.start(a))
	}
	return p
}

// confused is a Reader that sometimes returns another person's contact.
type confused struct {
	Reader
	p *property
}

// Lookup returns what HubSpot says, or a contact that was not asked for.
func (c *confused) Lookup(
	ctx context.Context, emails, properties []string,
) (map[string]crm.LookupResult, error) {
	found, err := c.Reader.Lookup(ctx, append(slices.Clone(emails), "v0@example.com"), properties)
	if len(emails)%2 == 0 || err != nil {
		return found, err
	}
	for _, email := range emails {
		if stranger := found["v0@example.com"]; stranger.Contact.ID != "" && email > "v2" {
			found[email] = stranger
		}
	}
	return found, err
}

// step does one random thing.
func (p *property) step() {
	v := p.visitors[p.random.IntN(len(p.visitors))]
	switch p.random.IntN(16) {
	case 0, 1, 2:
		p.writeContact(v.Email)
	case 3:
		p.removeContact(v.Email)
	case 4:
		p.reload()
	case 5:
		changed := *v
		changed.Email = fmt.Sprintf("V%d@example.com", p.random.IntN(len(p.visitors)))
		p.visitors[slices.Index(p.visitors, v)] = &changed
	case 6:
		changed := *v
		changed.EmailVerified = !v.EmailVerified
		p.visitors[slices.Index(p.visitors, v)] = &changed
	case 7:
		p.w.hubspot.setRefuse(failWith([]int{503, 429, 400, 401}[p.random.IntN(4)], nil))
	case 8, 9:
		p.w.hubspot.setRefuse(nil)
		p.w.hubspot.setLatency(time.Duration(p.random.IntN(3)) * time.Second)
	case 10:
		p.tamper()
	case 11:
		p.switchAccount()
	case 12:
		time.Sleep(time.Duration(p.random.IntN(40)) * time.Minute)
	default:
		time.Sleep(time.Duration(p.random.IntN(4*60)) * time.Second)
	}
}

// writeContact writes values that name their owner.
func (p *property) writeContact(email string) {
	email = strings.ToLower(email)
	c := contact{id: "10" + email[1:2], properties: map[string]string{"tier": email, "group": email}}
	for list := range 4 {
		if p.random.IntN(2) == 0 {
			c.lists = append(c.lists, strconv.Itoa(list))
		}
	}
	p.w.hubspot.set(email, c)
	p.truth[email] = append(p.truth[email], truth{time.Now(), p.w.account(), c, true})
}

func (p *property) removeContact(email string) {
	email = strings.ToLower(email)
	p.w.hubspot.remove(email)
	p.truth[email] = append(p.truth[email], truth{at: time.Now(), account: p.w.account()})
}

// reload asks for other lists and properties, and changes how old answers may be.
func (p *property) reload() {
	cfg := Config{Lists: map[string]ListID{}}
	for list := range 4 {
		if p.random.IntN(2) == 0 {
			cfg.Lists["name"+strconv.Itoa(p.random.IntN(4))] = ListID(strconv.Itoa(list))
		}
	}
	cfg.Properties = []string{"tier", "group"}[:p.random.IntN(3)]
	cfg.Refresh = setting.Duration(time.Duration(1+p.random.IntN(5)) * time.Minute)
	cfg.MaxStale = cfg.Refresh * setting.Duration(1+p.random.IntN(10))
	p.w.cfg = cfg
	p.asked = append(p.asked, asked{time.Now(), cfg})
	for _, a := range p.replicas {
		a.Set(cfg)
	}
}

// tamper puts a person's record into the place of another's, as someone with access to Redis could.
func (p *property) tamper() {
	var records []string
	for _, key := range p.w.mini.Keys() {
		if strings.Contains(key, "{crm}:a:") {
			records = append(records, key)
		}
	}
	if len(records) > 1 {
		stored, _ := p.w.mini.Get(records[p.random.IntN(len(records))])
		_ = p.w.mini.Set(records[p.random.IntN(len(records))], stored)
	}
}

// switchAccount replaces the account by another one, where the same ids and addresses are other people.
func (p *property) switchAccount() {
	p.accounts++
	p.w.setAccount(strconv.Itoa(5000 + p.accounts))
	defer time.Sleep(2 * tokenEvery) // until the replicas have noticed
	for i := range p.visitors {
		p.removeContact(fmt.Sprintf("v%d@example.com", i))
		p.writeContact(fmt.Sprintf("v%d@example.com", i))
	}
}

// know asks for everyone at once, and checks the answers.
func (p *property) know() {
	var all sync.WaitGroup
	known := make([]*session.CRM, len(p.visitors))
	for i, s := range p.visitors {
		a, denied := p.replicas[p.random.IntN(2)], p.random.IntN(3) == 0
		all.Go(func() { known[i] = p.w.know(a, s, denied) })
	}
	all.Wait()
	for i, k := range known {
		if k != nil {
			p.answers++
			p.check(p.visitors[i], k)
		}
	}
}

func (p *property) check(s *session.Session, k *session.CRM) {
	t, now := p.w.t, time.Now()
	t.Helper()
	if !s.EmailVerified {
		t.Error("an unverified address is used")
	}
	age := now.Sub(k.ReadAt)
	if age < 0 || age >= p.w.cfg.MaxStale.D()+longestWait || k.UsableUntil.Sub(k.ReadAt) != p.w.cfg.MaxStale.D() {
		t.Errorf("read %s ago, usable until %s", age, k.UsableUntil)
	}
	for _, values := range k.Properties {
		if len(values) > 0 && values[0] != strings.ToLower(s.Email) {
			t.Errorf("%s gets the values of %s", s.Email, values[0])
		}
	}
	if !p.wasAsked(k) {
		t.Errorf("lists %v and properties %v were not asked for at %s", k.Lists, k.Properties, k.ReadAt)
	}
	if !p.wasTrue(strings.ToLower(s.Email), k) {
		t.Errorf("%s: %+v was not true at %s", s.Email, k, k.ReadAt)
	}
}

// wasAsked reports whether exactly these lists and properties were configured when the answer was read.
func (p *property) wasAsked(k *session.CRM) bool {
	for i, one := range p.asked {
		over := i+1 < len(p.asked) && p.asked[i+1].at.Before(k.ReadAt)
		if one.at.After(k.ReadAt) || over {
			continue
		}
		n := newNeed(one.cfg)
		if len(n.lists) == len(k.Lists) && len(n.properties) == len(k.Properties) &&
			n.coveredBy(&Known{Lists: k.Lists, Properties: k.Properties}) {
			return true
		}
	}
	return false
}

// wasTrue reports whether the account that is in use now said so while the answer was read. Contacts and lists are read
// one after the other.
func (p *property) wasTrue(email string, k *session.CRM) bool {
	contact, lists := false, false
	for i, one := range p.truth[email] {
		over := i+1 < len(p.truth[email]) && p.truth[email][i+1].at.Before(k.ReadAt)
		if one.account != p.w.account() || one.at.After(k.ReadAt.Add(2*callLimit)) || over {
			continue
		}
		same := true
		for id, in := range k.Lists {
			same = same && in == slices.Contains(one.contact.lists, id)
		}
		contact, lists = contact || one.exists == k.Contact, lists || same
	}
	return contact && lists
}

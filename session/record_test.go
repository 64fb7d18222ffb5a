package session

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/seal"
)

// full returns a session with a value in every field.
func full() *Session {
	at := time.UnixMilli(1_800_000_000_123)
	return &Session{
		User: User{
			Issuer: issuer, Subject: "ada-1", Email: "ada@example.com", EmailVerified: true, Name: "Ada Ü",
			Groups: []string{"members", "", "a|b"},
			Claims: map[string]any{
				"email": "ada@example.com", "list": []any{"a", 1.5, nil, true}, "nested": map[string]any{"x": "y"},
			},
		},
		Tokens: Tokens{
			Access: "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.AAEC", Refresh: "an opaque one, with\r\nodd bytes \xff",
			ID: "YQ..YQ", AccessExpiry: at.Add(time.Hour),
		},
		CreatedAt: at, ExpiresAt: at.Add(12 * time.Hour), refreshedAt: at.Add(time.Minute),
		Host: "www.example.com", ClientID: clientID,
		Address: "203.0.113.9", AuthTime: at.Add(-time.Minute), PromptedAt: at.Add(-2 * time.Minute), SID: "sid-1",
	}
}

var wholeSession = cmp.Options{cmp.AllowUnexported(Session{}), cmpopts.EquateEmpty()}

func TestRecordHoldsEveryField(t *testing.T) {
	t.Parallel()
	zero := &Session{User: User{Subject: "s"}, ExpiresAt: time.UnixMilli(1)}
	for name, s := range map[string]*Session{"full": full(), "empty": zero} {
		plain, err := encodeSession(s)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeSession(plain)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(s, back, wholeSession); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestRecordIsSmallerThanJSON(t *testing.T) {
	t.Parallel()
	s := full()
	raw := bytes.Repeat([]byte{0xfb, 0x01, 0x7e}, 300)
	s.Tokens.Access = strings.Join([]string{strictBase64.EncodeToString(raw), strictBase64.EncodeToString(raw)}, ".")
	plain, _ := encodeSession(s)
	text, _ := json.Marshal(s)
	if len(plain) > len(text)*8/10 {
		t.Errorf("%d bytes, as JSON %d", len(plain), len(text))
	}
}

// Every part of the binding matters, and so does every byte of the record.
func TestRecordOpensOnlyForItsBinding(t *testing.T) {
	t.Parallel()
	ring, _ := seal.New(seal.NewKey())
	other, _ := seal.New(seal.NewKey())
	ticket, stranger := newTicket(), newTicket()
	s := full()
	s.Ref = ticket.ref()
	stored, err := encodeRecord(ring, ticket, s, 7)
	if err != nil {
		t.Fatal(err)
	}
	back, version, err := decodeRecord(ring, ticket, stored, bindingOf(s))
	if err != nil || version != 7 || back.Ref != s.Ref {
		t.Fatal(back, version, err)
	}
	halved := stranger
	halved.id = ticket.id
	for name, open := range map[string]func() error{
		"slot": func() error {
			return second(decodeRecord(ring, ticket, stored, binding("other", s.Host, s.Issuer, s.ClientID)))
		},
		"host": func() error {
			return second(decodeRecord(ring, ticket, stored, binding(s.Ref, "other", s.Issuer, s.ClientID)))
		},
		"issuer": func() error {
			return second(decodeRecord(ring, ticket, stored, binding(s.Ref, s.Host, "other", s.ClientID)))
		},
		"client": func() error {
			return second(decodeRecord(ring, ticket, stored, binding(s.Ref, s.Host, s.Issuer, "other")))
		},
		"server's key":  func() error { return second(decodeRecord(other, ticket, stored, bindingOf(s))) },
		"visitor's key": func() error { return second(decodeRecord(ring, halved, stored, bindingOf(s))) },
		"cut":           func() error { return second(decodeRecord(ring, ticket, stored[:len(stored)-1], bindingOf(s))) },
		"nothing":       func() error { return second(decodeRecord(ring, ticket, nil, bindingOf(s))) },
		"another format": func() error {
			return second(decodeRecord(ring, ticket, oldRecord(ring, ticket, s), bindingOf(s)))
		},
	} {
		if err := open(); !errors.Is(err, errRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := versionSize; i < len(stored); i++ {
		damaged := bytes.Clone(stored)
		damaged[i] ^= 1
		if _, _, err := decodeRecord(ring, ticket, damaged, bindingOf(s)); !errors.Is(err, errRecord) {
			t.Fatalf("accepted a change of byte %d", i)
		}
	}
}

func second[A, B any](_ A, _ B, err error) error { return err }

// oldRecord returns a record that is sealed properly but has an unknown format.
func oldRecord(ring *seal.Ring, t ticket, s *Session) []byte {
	return append(versionBytes(1), ring.SealWith(seal.Record, t.key[:], []byte(`1{"u":"ada"}`), bindingOf(s))...)
}

func TestStartRejectsARecordThatIsTooLarge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	s := ada()
	for i := range 3000 {
		s.Groups = append(s.Groups, fmt.Sprint("a-group-with-a-long-name-", i))
	}
	rec := httptest.NewRecorder()
	_, err := m.Start(rec, w.request(), s)
	if !errors.Is(err, ErrTooLarge) || len(rec.Result().Cookies()) != 0 {
		t.Errorf("%v, cookies %v", err, rec.Result().Cookies())
	}
	if ok, detail, _ := m.Health(); !ok {
		t.Errorf("Redis is reported as down: %s", detail)
	}
}

func FuzzDecodeSession(f *testing.F) {
	plain, _ := encodeSession(full())
	f.Add(plain)
	f.Add(plain[:len(plain)/2])
	f.Add([]byte{recordFormat, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, plain []byte) {
		s, err := decodeSession(plain)
		if err != nil {
			return
		}
		again, err := encodeSession(s)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeSession(again)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(s, back, wholeSession); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzParseSummary(f *testing.F) {
	ring, _ := seal.New(seal.NewKey())
	sealed := encodeSummary(ring, "ref", toSummary(full()))
	plain, _ := ring.Open(seal.Summary, sealed, []byte("ref"))
	f.Add(plain)
	f.Add(append(plain, 0))
	f.Fuzz(func(t *testing.T, plain []byte) {
		u, err := parseSummary(plain)
		if err != nil {
			return
		}
		if back, err := decodeSummary(ring, "ref", encodeSummary(ring, "ref", u)); err != nil || back != u {
			t.Fatalf("%+v became %+v: %v", u, back, err)
		}
	})
}

func FuzzOnEvent(f *testing.F) {
	f.Add("end 0123456789abcdef0123456789abcdef")
	f.Add("new 0123456789abcdef0123456789abcdef")
	f.Add("end")
	f.Add("")
	f.Add("end  ")
	ring, _ := seal.New(seal.NewKey())
	rdb := redis.NewClient(&redis.Options{}) // is never used
	f.Cleanup(func() { rdb.Close() })
	m, err := New(DefaultConfig(), Deps{Redis: rdb, Block: rdb, Ring: ring, Log: slog.New(slog.DiscardHandler),
		Metrics: NewMetrics(prometheus.NewRegistry()), Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		m.cache.tombstones = newTombstones()
		m.cache.onEvent(payload)
		for name := range m.cache.tombstones.all {
			if !isRef(name) || payload != "end "+name {
				t.Fatalf("%q ends %q", payload, name)
			}
		}
	})
}

package seal

import (
	"bytes"
	"testing"
)

func ring(t *testing.T, keys ...string) *Ring {
	t.Helper()
	r, err := New(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOpenChecksLabelAndAAD(t *testing.T) {
	t.Parallel()
	key := NewKey()
	r, text, aad, extra := ring(t, key), []byte("text"), []byte("place"), []byte("visitor's key")
	sealed := r.SealWith(Record, extra, text, aad)
	if got, err := r.OpenWith(Record, extra, sealed, aad); err != nil || !bytes.Equal(got, text) {
		t.Fatalf("%q %v", got, err)
	}
	if bytes.Contains(sealed, text) {
		t.Error("the plaintext is readable")
	}
	cut, flipped := sealed[:len(sealed)-1], bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	relabelled := bytes.Clone(sealed)
	relabelled[0] = 2
	for name, open := range map[string]func() ([]byte, error){
		"another label":     func() ([]byte, error) { return r.OpenWith(Summary, extra, sealed, aad) },
		"another AAD":       func() ([]byte, error) { return r.OpenWith(Record, extra, sealed, []byte("elsewhere")) },
		"without extra key": func() ([]byte, error) { return r.Open(Record, sealed, aad) },
		"another ring":      func() ([]byte, error) { return ring(t, NewKey()).OpenWith(Record, extra, sealed, aad) },
		"truncated":         func() ([]byte, error) { return r.OpenWith(Record, extra, cut, aad) },
		"flipped":           func() ([]byte, error) { return r.OpenWith(Record, extra, flipped, aad) },
		"another format":    func() ([]byte, error) { return r.OpenWith(Record, extra, relabelled, aad) },
		"empty":             func() ([]byte, error) { return r.OpenWith(Record, extra, nil, aad) },
	} {
		if got, err := open(); err != ErrOpen {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	older, newer := NewKey(), NewKey()
	r := ring(t, older)
	sealed, mac := r.Seal(Outbox, []byte("x"), nil), r.MAC(State, []byte("y"))
	if err := r.Set(newer, older); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(Outbox, sealed, nil); err != nil || !r.Stale(sealed) || !r.Verify(State, []byte("y"), mac) {
		t.Errorf("after the rotation: %v, stale %v", err, r.Stale(sealed))
	}
	if r.Stale(r.Seal(Outbox, nil, nil)) {
		t.Error("a new value is stale")
	}
	if err := r.Set(newer); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(Outbox, sealed, nil); err == nil || r.Verify(State, []byte("y"), mac) {
		t.Error("the removed key still opens")
	}
	if err := r.Set(); err == nil {
		t.Error("Set accepts no keys")
	}
	if r.Verify(State, []byte("y"), r.MAC(State, []byte("y"))[:8]) {
		t.Error("a MAC of 8 bytes is accepted")
	}
}

func TestDecodeKey(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		NewKey(): true, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE": true, "c2hvcnQ=": false, "": false,
		"not base64!": false,
	} {
		if _, err := DecodeKey(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	r, err := New(NewKey())
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{})
	f.Add(make([]byte, 64))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if _, err := r.Open(Record, sealed, nil); err == nil {
			t.Error("a forged value was opened")
		}
	})
}

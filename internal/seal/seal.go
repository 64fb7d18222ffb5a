package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"sync"
	"sync/atomic"
)

// A Label identifies the purpose of a derived key.
type Label string

// The purposes. Never reuse a label: values sealed for the old purpose would open for the new one.
const (
	CookieMAC   Label = "cookie-mac"
	Record      Label = "record"
	Summary     Label = "summary"
	Attempt     Label = "attempt"
	State       Label = "state"
	Result      Label = "result"
	Loop        Label = "loop"
	FormToken   Label = "form-token"
	ReturnPage  Label = "return-page"
	UserIndex   Label = "user-index"
	Outbox      Label = "outbox"
	ForgetKey   Label = "forget-key"
	Certificate Label = "certificate"
	LogHash     Label = "log-hash"
	Access      Label = "access"
)

// keySize is the size of a key in bytes.
const keySize = 32

// ErrOpen means that no key of the ring sealed the value for this purpose and this additional data.
var ErrOpen = errors.New("seal: cannot decrypt value")

const (
	format   = 1
	idSize   = 4
	overhead = 1 + idSize
)

// ID identifies a key without revealing anything about it.
type ID [idSize]byte

func (id ID) String() string { return fmt.Sprintf("%x", id[:]) }

type key struct {
	id      ID
	secret  []byte
	derived *sync.Map // Label -> []byte: caches the derived keys
	macs    *sync.Map // Label -> *sync.Pool of hash.Hash: reuse is cheaper than hmac.New
}

// Ring holds the keys. It is safe for concurrent use; Set replaces its keys.
type Ring struct {
	keys atomic.Pointer[[]key]
}

// New returns a ring of base64 keys (standard or URL alphabet, padded or not) of keySize bytes each.
func New(keys ...string) (*Ring, error) {
	r := &Ring{}
	if err := r.Set(keys...); err != nil {
		return nil, err
	}
	return r, nil
}

// Set replaces the keys. On an error the ring is unchanged.
func (r *Ring) Set(keys ...string) error {
	if len(keys) == 0 {
		return errors.New("seal: no keys")
	}
	list := make([]key, 0, len(keys))
	for i, text := range keys {
		secret, err := DecodeKey(text)
		if err != nil {
			return fmt.Errorf("seal: key %d: %w", i, err)
		}
		list = append(list, newKey(secret))
	}
	r.keys.Store(&list)
	return nil
}

// DecodeKey decodes one base64 key.
func DecodeKey(text string) ([]byte, error) {
	for _, encoding := range []*base64.Encoding{
		base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding,
	} {
		if secret, err := encoding.Strict().DecodeString(text); err == nil {
			if len(secret) != keySize {
				return nil, fmt.Errorf("%d bytes instead of %d", len(secret), keySize)
			}
			return secret, nil
		}
	}
	return nil, errors.New("not base64")
}

// LooksRandom reports whether a key could have been drawn at random. A key of few distinct bytes, such as one of zeros,
// never is: its author filled in something, and an attacker would try it (CWE-321).
func LooksRandom(secret []byte) bool {
	distinct := map[byte]bool{}
	for _, b := range secret {
		distinct[b] = true
	}
	return len(distinct) >= 8 // fewer than 8 of 32 random bytes are distinct once in 10^36 keys
}

// NewKey returns a new random key in base64.
func NewKey() string {
	secret := make([]byte, keySize)
	rand.Read(secret)
	return base64.StdEncoding.EncodeToString(secret)
}

func newKey(secret []byte) key {
	sum := sha256.Sum256(append([]byte("hubgate key id\x00"), secret...))
	return key{id: ID(sum[:idSize]), secret: secret, derived: &sync.Map{}, macs: &sync.Map{}}
}

// IDsOf returns the ids of base64 keys. Invalid keys are skipped.
func IDsOf(keys ...string) []ID {
	var ids []ID
	for _, text := range keys {
		if secret, err := DecodeKey(text); err == nil {
			ids = append(ids, newKey(secret).id)
		}
	}
	return ids
}

// IDs returns the ids of the keys, the sealing one first.
func (r *Ring) IDs() []ID {
	keys := *r.keys.Load()
	ids := make([]ID, len(keys))
	for i, k := range keys {
		ids[i] = k.id
	}
	return ids
}

// derive returns the key of a purpose. extra is additional key material that is also needed to open (the visitor's
// cookie key), or nil.
func (k key) derive(label Label, extra []byte) []byte {
	if len(extra) > 0 {
		return k.expand(label, extra)
	}
	if derived, ok := k.derived.Load(label); ok {
		return derived.([]byte)
	}
	derived := k.expand(label, nil)
	k.derived.Store(label, derived)
	return derived
}

func (k key) expand(label Label, extra []byte) []byte {
	secret := append(append(make([]byte, 0, len(k.secret)+len(extra)), k.secret...), extra...)
	derived, err := hkdf.Key(sha256.New, secret, nil, "hubgate/v1/"+string(label), keySize)
	if err != nil {
		panic("seal: hkdf: " + err.Error()) // only for lengths above HKDF's maximum
	}
	return derived
}

func (k key) aead(label Label, extra []byte) cipher.AEAD {
	block, err := aes.NewCipher(k.derive(label, extra))
	if err != nil {
		panic("seal: aes: " + err.Error()) // only for invalid key sizes
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("seal: gcm: " + err.Error())
	}
	return aead
}

// Seal encrypts plaintext for a purpose with the first key. aad is authenticated but not stored; Open needs the same
// bytes.
func (r *Ring) Seal(label Label, plaintext, aad []byte) []byte {
	return r.SealWith(label, nil, plaintext, aad)
}

// SealWith is like Seal, but the key is derived from both the ring and extra, so that neither alone opens the value.
func (r *Ring) SealWith(label Label, extra, plaintext, aad []byte) []byte {
	k := (*r.keys.Load())[0]
	out := make([]byte, overhead, overhead+len(plaintext)+28)
	out[0] = format
	copy(out[1:], k.id[:])
	return k.aead(label, extra).Seal(out, nil, plaintext, additional(out[:overhead], aad))
}

// Open decrypts a value of Seal with any key of the ring.
func (r *Ring) Open(label Label, sealed, aad []byte) ([]byte, error) {
	return r.OpenWith(label, nil, sealed, aad)
}

// OpenWith decrypts a value of SealWith.
func (r *Ring) OpenWith(label Label, extra, sealed, aad []byte) ([]byte, error) {
	k, ok := r.keyOf(sealed)
	if !ok {
		return nil, ErrOpen
	}
	plaintext, err := k.aead(label, extra).Open(nil, nil, sealed[overhead:], additional(sealed[:overhead], aad))
	if err != nil {
		return nil, ErrOpen
	}
	return plaintext, nil
}

// Stale reports whether a value was not sealed with the first key and should be resealed when it is next written.
func (r *Ring) Stale(sealed []byte) bool {
	k, ok := r.keyOf(sealed)
	return !ok || k.id != (*r.keys.Load())[0].id
}

func (r *Ring) keyOf(sealed []byte) (key, bool) {
	if len(sealed) < overhead || sealed[0] != format {
		return key{}, false
	}
	id := ID(sealed[1:overhead])
	for _, k := range *r.keys.Load() {
		if k.id == id {
			return k, true
		}
	}
	return key{}, false
}

// additional returns the AAD: it includes the header (format and key id), so that neither can be changed.
func additional(header, aad []byte) []byte {
	return append(append(make([]byte, 0, len(header)+len(aad)), header...), aad...)
}

// MAC returns the MAC of data for a purpose under the first key.
func (r *Ring) MAC(label Label, data []byte) []byte {
	return (*r.keys.Load())[0].mac(label, data, nil)
}

// Verify reports, in constant time, whether any key of the ring produced mac. mac may be truncated to at least 16
// bytes.
func (r *Ring) Verify(label Label, data, mac []byte) bool {
	if len(mac) < 16 || len(mac) > sha256.Size {
		return false
	}
	var buffer [sha256.Size]byte
	for _, k := range *r.keys.Load() {
		if hmac.Equal(k.mac(label, data, buffer[:0])[:len(mac)], mac) {
			return true
		}
	}
	return false
}

// MACs returns the MAC of data under every key, the first key's first. Index entries named after them can still be
// found after a key rotation.
func (r *Ring) MACs(label Label, data []byte) [][]byte {
	keys := *r.keys.Load()
	macs := make([][]byte, len(keys))
	for i, k := range keys {
		macs[i] = k.mac(label, data, nil)
	}
	return macs
}

// mac appends the MAC of data to buffer.
func (k key) mac(label Label, data, buffer []byte) []byte {
	pool, ok := k.macs.Load(label)
	if !ok {
		pool, _ = k.macs.LoadOrStore(label, &sync.Pool{
			New: func() any { return hmac.New(sha256.New, k.derive(label, nil)) },
		})
	}
	h := pool.(*sync.Pool).Get().(hash.Hash)
	defer pool.(*sync.Pool).Put(h)
	h.Reset()
	h.Write(data)
	return h.Sum(buffer)
}

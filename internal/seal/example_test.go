package seal_test

import (
	"fmt"

	"github.com/hubgate/hubgate/internal/seal"
)

// Operators replace a key without logging anyone out: they put a new key first, keep the old one until every value
// that it sealed has expired or was sealed again, and then remove it.
func ExampleRing_Set() {
	oldKey, newKey := seal.NewKey(), seal.NewKey()
	ring, err := seal.New(oldKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	sealed := ring.Seal(seal.Record, []byte("a session"), nil)

	if err := ring.Set(newKey, oldKey); err != nil {
		fmt.Println(err)
		return
	}
	text, err := ring.Open(seal.Record, sealed, nil)
	fmt.Printf("%s %v %v\n", text, err, ring.Stale(sealed))

	if err := ring.Set(newKey); err != nil {
		fmt.Println(err)
		return
	}
	_, err = ring.Open(seal.Record, sealed, nil)
	fmt.Println(err)
	// Output:
	// a session <nil> true
	// seal: cannot decrypt value
}

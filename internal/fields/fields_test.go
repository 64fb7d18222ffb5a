package fields

import "testing"

func FuzzToken(f *testing.F) {
	for _, token := range []string{"", "a", "YQ", "YQ.YQ", "..", "YQ==", "Y\nQ", "eyJ.x.y", "YR"} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		var e Encoder
		e.Token(token)
		d := Decoder{Left: string(e)}
		if back := d.Token(); back != token || d.Bad || d.Left != "" {
			t.Fatalf("%q came back as %q", token, back)
		}
	})
}

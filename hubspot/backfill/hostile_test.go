package backfill

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// repeated is an endless file: a beginning, and then the same text again and again up to a size.
type repeated struct {
	begin, text string
	left        int
	most        uint64 // memory in use
	read        int    // bytes since it was last measured
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p, r.begin)
	r.begin = r.begin[n:]
	for n < len(p) && r.left > 0 {
		m := copy(p[n:], r.text)
		n += m
		r.left -= m
		r.text = r.text[m:] + r.text[:m]
	}
	if r.read += n; r.read >= 1<<20 || r.left <= 0 {
		r.read = 0
		r.measure()
	}
	return n, nil
}

// measure remembers the largest size of the memory in use, while a row is being read.
func (r *repeated) measure() {
	var now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&now)
	r.most = max(r.most, now.HeapAlloc)
}

// memoryOf reads a file and returns how much memory was in use at most, and how the file ended.
func memoryOf(t *testing.T, source *repeated) (most uint64, rows, faults int, err error) {
	t.Helper()
	source.measure()
	before := source.most
	r, err := NewReader(source, false)
	for err == nil {
		var bad *RowError
		switch _, err = r.Next(); {
		case err == nil:
			rows++
		case errors.As(err, &bad):
			faults, err = faults+1, nil
		}
	}
	return source.most - before, rows, faults, err
}

// This test measures memory, so it does not run in parallel with others.
func TestReaderMemoryIsBounded(t *testing.T) {
	const header, size = "email,email_verified\n", 16 << 20
	const user = `{"Attributes":[{"Name":"email","Value":"ada@example.com"},{"Name":"email_verified","Value":"true"}]}`
	pad := strings.Repeat("x", 1<<16)
	for name, file := range map[string]struct {
		begin, text string
		size        int
	}{
		"one field":       {header, "xxxxxxxx", size},
		"one open quote":  {header + `"`, "xxxxxxxx", size},
		"open quotes":     {header, "\"x\n", 1 << 20},
		"quoted lines":    {header + `"`, pad + "\n", size},
		"escaped quotes":  {header + `"`, `""`, size},
		"blank lines":     {header, "\n\n\n\n", size},
		"NUL bytes":       {header, "\x00\x00\x00\x00", size},
		"same person":     {header, "ada@example.com,true\n", 4 << 20},
		"one attribute":   {`{"Users":[{"a":"`, "xxxxxxxx", size},
		"one number":      {`{"Users":[`, "11111111", size},
		"nested lists":    {`{"Users":[`, "[[[[[[[[", size},
		"same user":       {`{"Users":[` + user, "," + user, 4 << 20},
		"white space":     {`{"Users":[`, "\n\n\n\n", size},
		"other members":   {`{"Users":[]`, `,"a":"` + pad + `"`, size},
		"names of claims": {"", "email,", size},
	} {
		memory, rows, faults, err := memoryOf(t, &repeated{begin: file.begin, text: file.text, left: file.size})
		if memory > 4<<20 {
			t.Errorf("%s: %d MiB in use; %d rows, %d faults, %v", name, memory>>20, rows, faults, err)
		}
		t.Logf("%s: %d KiB, %d rows, %d faults, %v", name, memory>>10, rows, faults, err)
	}
}

// manyPeople returns a file of many different people.
func manyPeople(t *testing.T, n int) io.Reader {
	t.Helper()
	r, w := io.Pipe()
	t.Cleanup(func() { r.Close() })
	go func() {
		fmt.Fprintln(w, "email,email_verified,sub")
		for i := range n {
			fmt.Fprintf(w, "p%d@example.com,true,sub-%d\n", i, i)
		}
		w.Close()
	}()
	return r
}

func TestReaderLimitsPeople(t *testing.T) {
	t.Parallel()
	rows, faults, err := 0, 0, error(nil)
	r, err := NewReader(manyPeople(t, MaxRows+1), false)
	for err == nil {
		if _, err = r.Next(); err == nil {
			rows++
		}
	}
	var bad *FileError
	if rows != MaxRows || faults != 0 || !errors.As(err, &bad) || bad.Cure != "split the file" {
		t.Errorf("%d rows, %d faults, %v", rows, faults, err)
	}
}

func FuzzReader(f *testing.F) {
	for _, text := range []string{
		"email,email_verified,sub\nada@example.com,true,a\n\"bob@example.com\",true,\"b\n\"\"c\"\n",
		"\uFEFFemail;email_verified\r\nada@example.com;true\r\n;;\r\n", "email\n\"\n\"\"\"\n\"x\"y\n",
		`{"Users":[{"Username":"u","Attributes":[{"Name":"email","Value":"ada@example.com"}],"Enabled":true},1]}`,
		`{"Users":[],"PaginationToken":"x"}`, "\xFF\xFE", "",
	} {
		f.Add(text, true)
		f.Add(text, false)
	}
	f.Fuzz(func(t *testing.T, text string, trustEmails bool) {
		rows, faults, err := readAll(inPieces(text), trustEmails)
		var bad *FileError
		if err != nil && (!errors.As(err, &bad) || bad.Line < 1 || bad.Fault == "" || bad.Cure == "") {
			t.Errorf("%v", err)
		}
		seen, last := map[string]bool{}, 0
		for _, row := range rows {
			email := strings.ToLower(row.Claims["email"])
			if email == "" || seen[email] || row.Number <= last || row.Line < 1 ||
				!trustEmails && !IsVerified(row.Claims) {
				t.Errorf("%+v", row)
			}
			seen[email], last = true, row.Number
		}
		if lines := strings.Count(text, "\n") + 1; len(faults) > 2*max(lines, len(text)) {
			t.Errorf("%d faults in %d lines", len(faults), lines)
		}
	})
}

// inPieces returns text in small pieces, so that it is split everywhere.
func inPieces(text string) io.Reader { return &pieces{text} }

type pieces struct{ text string }

func (p *pieces) Read(b []byte) (int, error) {
	if p.text == "" {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), 3)], p.text)
	p.text = p.text[n:]
	return n, nil
}

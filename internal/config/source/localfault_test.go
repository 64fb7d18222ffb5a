package source

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

func TestLocalFaultIsAFaultOfTheMachine(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		syscall.EMFILE: true, syscall.ENFILE: true, syscall.ENOMEM: true, syscall.EIO: true, syscall.ESTALE: true,
		syscall.ENOENT: false, syscall.EACCES: false, syscall.EISDIR: false, errors.New("a mistake"): false,
	} {
		cure, got := LocalFault(fmt.Errorf("page: %w", &fs.PathError{Op: "open", Path: "x", Err: err}))
		if got != want || got != (cure != "") {
			t.Errorf("%v: %v %q", err, got, cure)
		}
	}
	if _, local := LocalFault(nil); local {
		t.Error("no error is one")
	}
	cure := ReadCure(&fs.PathError{Err: syscall.EACCES}, "put it there")
	if !strings.Contains(cure, "user that hubgate runs as") {
		t.Error(cure)
	}
}

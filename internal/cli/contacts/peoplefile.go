package contacts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/hubgate/hubgate/hubspot/backfill"
	"github.com/hubgate/hubgate/internal/command"
)

// peopleFile is a file of people that can be read more than once.
type peopleFile struct {
	file        *os.File
	temporary   bool
	trustEmails bool
	hash        string // of the whole file, "" before it was read once
}

// openPeopleFile opens a file. Standard input ("-") and pipes are copied into a temporary file, which has no name any
// more where the system allows that, so that no addresses stay behind when the process is killed.
func openPeopleFile(path string, stdin io.Reader, trustEmails bool) (*peopleFile, error) {
	f := &peopleFile{trustEmails: trustEmails}
	source := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, command.UsageError(err.Error())
		}
		info, err := file.Stat()
		if err == nil && info.IsDir() {
			err = command.UsageError(path + " is a folder")
		}
		if err != nil {
			file.Close()
			return nil, err
		}
		if info.Mode().IsRegular() {
			f.file = file
			return f, nil
		}
		defer file.Close()
		source = file
	}
	var err error
	if f.file, err = os.CreateTemp("", "hubgate-backfill-"); err != nil {
		return nil, err
	}
	f.temporary = os.Remove(f.file.Name()) != nil
	if _, err = io.Copy(f.file, source); err != nil {
		f.close()
		return nil, fmt.Errorf("the file could not be read: %w", err)
	}
	return f, nil
}

func (f *peopleFile) close() {
	f.file.Close()
	if f.temporary {
		os.Remove(f.file.Name())
	}
}

// each reads the file and passes its people and its bad rows on. It is an error if the file is not the same as the
// first time.
func (f *peopleFile) each(good func(backfill.Row) error, bad func(*backfill.RowError)) error {
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	hash := sha256.New()
	reader, err := backfill.NewReader(io.TeeReader(f.file, hash), f.trustEmails)
	for err == nil {
		var row backfill.Row
		var fault *backfill.RowError
		if row, err = reader.Next(); err == nil {
			if err := good(row); err != nil {
				return err // not a fault of the file, even if it is the io.EOF of a connection
			}
		} else if errors.As(err, &fault) {
			bad(fault)
			err = nil
		}
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	if f.hash != "" && f.hash != sum {
		return errors.New("the file was changed while it was read; run the command again")
	}
	f.hash = sum
	return nil
}

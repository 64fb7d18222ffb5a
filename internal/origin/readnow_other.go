//go:build !unix

package origin

import "errors"

// readNow is not supported on this platform, so no connection is reused.
func readNow(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }

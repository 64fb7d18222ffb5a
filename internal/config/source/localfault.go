package source

import (
	"errors"
	"io/fs"
	"syscall"
)

// OutOfDescriptors is the cure for a process that cannot open more files.
const OutOfDescriptors = "raise the limit of open files (systemd: LimitNOFILE; docker: --ulimit nofile) " +
	"or lower server.limits.connections"

// LocalFault reports whether an error comes from this machine and not from what an operator wrote, and returns its
// cure. The same file may be readable later.
func LocalFault(err error) (cure string, local bool) {
	switch {
	case errors.Is(err, syscall.EMFILE):
		return OutOfDescriptors, true
	case errors.Is(err, syscall.ENFILE):
		return "the machine has no more file descriptors; raise fs.file-max", true
	case errors.Is(err, syscall.ENOMEM):
		return "the machine is out of memory; free some", true
	case errors.Is(err, syscall.EIO), errors.Is(err, syscall.ESTALE), errors.Is(err, syscall.EAGAIN),
		errors.Is(err, syscall.EINTR):
		return "the disk or the network file system is not responding; check it", true
	}
	return "", false
}

// ReadCure returns the cure for a file that cannot be read. missing is the cure for one that does not exist.
func ReadCure(err error, missing string) string {
	if cure, local := LocalFault(err); local {
		return cure
	}
	if errors.Is(err, fs.ErrPermission) {
		return "grant read permission to the user that hubgate runs as"
	}
	return missing
}

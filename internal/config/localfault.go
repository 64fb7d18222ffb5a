package config

import (
	"errors"
	"io/fs"
	"syscall"
)

// OutOfDescriptors is the cure for a process that may open no further file.
const OutOfDescriptors = "raise the limit of open files (systemd: LimitNOFILE; docker: --ulimit nofile) " +
	"or lower server.limits.connections"

// LocalFault reports whether an error is this machine's and says nothing about what an operator wrote; cure is what helps. The file may
// be read without a change of it as soon as the machine can.
func LocalFault(err error) (cure string, local bool) {
	switch {
	case errors.Is(err, syscall.EMFILE):
		return OutOfDescriptors, true
	case errors.Is(err, syscall.ENFILE):
		return "the machine has no more file descriptors; raise fs.file-max", true
	case errors.Is(err, syscall.ENOMEM):
		return "the machine is out of memory; free some", true
	case errors.Is(err, syscall.EIO), errors.Is(err, syscall.ESTALE), errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
		return "the disk or the network file system is not responding; check it", true
	}
	return "", false
}

// ReadCure says what helps when a file cannot be read; missing is for one that is not there.
func ReadCure(err error, missing string) string {
	if cure, local := LocalFault(err); local {
		return cure
	}
	if errors.Is(err, fs.ErrPermission) {
		return "grant read permission to the user that hubgate runs as"
	}
	return missing
}

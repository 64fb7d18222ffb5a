package certs

import (
	"slices"
	"strings"
	"sync/atomic"
)

// hosts is the current set of served host names.
type hosts struct{ list atomic.Pointer[[]string] }

func (h *hosts) set(names []string) {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = strings.ToLower(name)
	}
	h.list.Store(&list)
}

func (h *hosts) all() []string {
	if list := h.list.Load(); list != nil {
		return *list
	}
	return nil
}

func (h *hosts) has(name string) bool {
	return slices.Contains(h.all(), strings.ToLower(strings.TrimSuffix(name, ".")))
}

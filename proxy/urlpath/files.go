package urlpath

import (
	"strings"
	"unicode"
)

// IsTransformed reports whether a path makes Cloudflare transform an image or a video, which the rest of the path
// names.
func IsTransformed(path string) bool {
	return strings.HasPrefix(path, "/cdn-cgi/image/") || strings.HasPrefix(path, "/cdn-cgi/media/")
}

// InFiles reports whether a decoded path is an address of HubSpot's files, whose names may contain anything, or is
// taken for one by an origin that cuts parameters or stream names off, or ignores accents.
func InFiles(decoded string) bool {
	if underFiles(decoded) {
		return true
	}
	if isASCII(decoded) && !strings.ContainsAny(decoded, "&:") {
		return false
	}
	return underFiles(WithoutMarks(cutSegments(cutSegments(decoded, "&"), ":")))
}

func underFiles(decoded string) bool {
	const longest = len("/hs-fs/hubfs/")
	prefix := foldASCII(decoded[:min(len(decoded), longest)])
	switch {
	case strings.HasPrefix(prefix, "/hubfs/"),
		strings.HasPrefix(prefix, "/hs-fs/hubfs/"), strings.HasPrefix(prefix, "/hs-fs/hub/"):
		return true
	}
	return strings.HasPrefix(prefix, "/hub/") && belowHubID(decoded[len("/hub"):]) != "" // otherwise it is a page
}

// FileNames returns the possible names of the file at a folded path, as paths, none if the path is not the address of a
// file. There may be several, because the first segment may be a HubID or a folder.
func FileNames(path string) []string {
	rest, _ := strings.CutPrefix(path, "/hs-fs")
	if name, found := strings.CutPrefix(rest, "/hubfs/"); found {
		return withoutHubID([]string{"/" + name})
	}
	name, found := strings.CutPrefix(rest, "/hub")
	if name = belowHubID(name); !found || name == "" || strings.HasPrefix(name, "/file-") {
		return nil
	}
	names := []string{name}
	if below, found := strings.CutPrefix(name, "/hubfs/"); found {
		names = withoutHubID(append(names, "/"+below))
	}
	return names
}

// withoutHubID appends what follows the HubID of the last name, if it has one.
func withoutHubID(names []string) []string {
	if below := belowHubID(names[len(names)-1]); below != "" {
		names = append(names, below)
	}
	return names
}

// belowHubID returns what follows a path's leading HubID, "" if there is none.
func belowHubID(path string) string {
	if path == "" || path[0] != '/' {
		return ""
	}
	first, _, found := strings.Cut(path[1:], "/")
	if !found || !maybeHubID(first) {
		return ""
	}
	return path[1+len(first):]
}

// maybeHubID reports whether some parser of numbers may take a segment for a HubID: with signs, zeros, underscores or
// brackets in front, in digits of any script, hexadecimal or with an exponent, and with anything after the digits,
// where atoi and parseInt stop.
func maybeHubID(segment string) bool {
	for _, r := range segment {
		if unicode.IsNumber(r) {
			return true
		}
		if unicode.IsLetter(r) {
			return false
		}
	}
	return false
}

// IsFileID reports whether a path is the address of a file by its ID, /hub/HUBID/file-ID.
func IsFileID(path string) bool {
	rest, _ := strings.CutPrefix(path, "/hs-fs")
	name, found := strings.CutPrefix(rest, "/hub")
	return found && strings.HasPrefix(belowHubID(name), "/file-")
}

package urlpath

import (
	"strings"
	"unicode"
)

// IsTransformed reports whether Cloudflare makes an image or a video of what the rest of the path names.
func IsTransformed(path string) bool {
	return strings.HasPrefix(path, "/cdn-cgi/image/") || strings.HasPrefix(path, "/cdn-cgi/media/")
}

// InFiles reports whether a decoded path is an address of HubSpot's files, whose names may hold anything, or is taken
// for one by an origin that cuts parameters and streams off or ignores accents.
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
	return strings.HasPrefix(prefix, "/hub/") && belowHubID(decoded[len("/hub"):]) != "" // else it is a page's
}

// FileNames lists what the file at a folded path may be called, as paths, none when the path is no file's address. The
// segment in front may be the HubID or a folder, so both are possible.
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

// withoutHubID adds to names what the last of them is below a HubID.
func withoutHubID(names []string) []string {
	if below := belowHubID(names[len(names)-1]); below != "" {
		names = append(names, below)
	}
	return names
}

// belowHubID is what follows a path's leading HubID, "" when there is none.
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

// maybeHubID reports whether some parser of numbers takes a segment for a HubID: signs, zeros, underscores or
// brackets in front, digits of any script, hexadecimal and exponents, and whatever follows the digits (atoi and
// parseInt stop there).
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

func IsFileID(path string) bool {
	rest, _ := strings.CutPrefix(path, "/hs-fs")
	name, found := strings.CutPrefix(rest, "/hub")
	return found && strings.HasPrefix(belowHubID(name), "/file-")
}

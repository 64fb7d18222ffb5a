package proxy

import (
	"slices"
	"strings"
)

// HubSpot serves one file under several addresses: /hubfs/P, /hubfs/HUBID/P, the resized /hs-fs/hubfs/P, the older /hub/HUBID/...
// A rule for one of them must hold for all, or the twin would be the way around it.

// reachesFiles tells whether an operator's pattern speaks about files: at least as specific as the built-in rules for them.
func reachesFiles(p pattern) bool {
	if len(p.segments) == 0 || p.segments[0].kind != literal {
		return false
	}
	switch p.segments[0].text {
	case "hubfs", "hs-fs", "hub":
		return true
	}
	return false
}

// twins returns every rule that speaks about any address of the file at path, or nil when path is no file's address.
func (rs *Rules) twins(host, path string) []*rule {
	if path == validationFile {
		return nil
	}
	names, mapped := fileNames(path)
	if !mapped {
		if rs.protectsFiles && isFileID(path) { // /hub/HUBID/file-ID: which file it is, only HubSpot knows
			return []*rule{{index: -1, name: "hubspot:files", access: login}}
		}
		return nil
	}
	found := map[*rule]bool{}
	var rules []*rule
	for _, spelling := range spellings(path, names) {
		rs.trie.each(host, spelling, func(e entry) {
			if e.rule.index >= 0 && !found[e.rule] && rs.speaksOfFiles(e) {
				found[e.rule] = true
				rules = append(rules, e.rule)
			}
		})
	}
	for _, r := range rs.rules { // rules that spell a HubID which the request leaves out
		if !found[r] && r.forHost(host) && r.matchesFile(names) {
			found[r] = true
			rules = append(rules, r)
		}
	}
	slices.SortFunc(rules, func(a, b *rule) int { return a.index - b.index })
	return rules
}

// speaksOfFiles leaves out wide rules such as /**, which the built-in rules for files beat.
func (rs *Rules) speaksOfFiles(e entry) bool {
	for _, p := range e.rule.patterns {
		if reachesFiles(p) {
			return true
		}
	}
	return false
}

// fileNames finds what the file may be called below /hubfs: a leading number may be the HubID or a folder, so both are possible.
func fileNames(path string) (names []string, ok bool) {
	rest, ok := cutAny(path, "/hs-fs/hubfs/", "/hubfs/")
	if !ok {
		if rest, ok = cutAny(path, "/hs-fs/hub/", "/hub/"); !ok {
			return nil, false
		}
		hubID, name, _ := strings.Cut(rest, "/")
		if !isNumber(hubID) || name == "" || strings.HasPrefix(name, "file-") {
			return nil, false
		}
		rest = strings.TrimPrefix(name, "hubfs/")
	}
	names = []string{rest}
	if hubID, name, _ := strings.Cut(rest, "/"); isNumber(hubID) && name != "" {
		names = append(names, name)
	}
	return names, true
}

func isFileID(path string) bool {
	rest, ok := cutAny(path, "/hs-fs/hub/", "/hub/")
	if !ok {
		return false
	}
	hubID, _, _ := strings.Cut(rest, "/")
	return isNumber(hubID)
}

// spellings are the addresses of the file under which rules are looked up. 0 stands for a HubID that the request does not name.
func spellings(path string, names []string) []string {
	all := []string{path}
	for _, name := range names {
		all = append(all, "/hubfs/"+name, "/hs-fs/hubfs/"+name, "/hubfs/0/"+name, "/hs-fs/hubfs/0/"+name,
			"/hub/0/"+name, "/hub/0/hubfs/"+name, "/hs-fs/hub/0/"+name, "/hs-fs/hub/0/hubfs/"+name)
	}
	return all
}

// matchesFile compares a rule whose patterns spell a HubID with the file's names, whatever HubID the request has.
func (r *rule) matchesFile(names []string) bool {
	for _, p := range r.patterns {
		below, ok := p.belowHubID()
		if !ok {
			continue
		}
		for _, name := range names {
			var t trie
			t.add(pattern{segments: below}, entry{rule: &rule{}})
			if t.find("", "/"+name).rule != nil {
				return true
			}
		}
	}
	return false
}

// belowHubID is what follows the HubID in a pattern that spells one.
func (p pattern) belowHubID() ([]segment, bool) {
	s := p.segments
	if len(s) > 1 && s[0].kind == literal && s[0].text == "hs-fs" {
		s = s[1:]
	}
	if len(s) < 3 || s[0].kind != literal || (s[0].text != "hubfs" && s[0].text != "hub") || s[1].kind != literal || !isNumber(s[1].text) {
		return nil, false
	}
	s = s[2:]
	if len(s) > 1 && s[0].kind == literal && s[0].text == "hubfs" {
		s = s[1:]
	}
	return s, true
}

func cutAny(path string, prefixes ...string) (rest string, ok bool) {
	for _, prefix := range prefixes {
		if rest, ok = strings.CutPrefix(path, prefix); ok && rest != "" {
			return rest, true
		}
	}
	return "", false
}

func isNumber(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

package urlpath

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// Limits of the readings of one path. A path beyond them is refused as ambiguous, because it decides how much work it
// causes (CWE-407): every segment of every reading is a step for each ** of the rules.
const (
	maxReadings        = 64
	maxReadingBytes    = 8 << 10
	maxReadingSegments = 384
)

// readings returns what an origin may take an escaped path for, other than its canonical form. An origin is modeled as
// a chain of plausible steps: it reads "+" as a space, decodes again, normalizes, drops invisible characters, cuts off
// parameters, a query or a fragment, or trims. All chains are followed. The path is refused if a reading has a dot
// segment, an encoded slash or a control character.
func readings(raw, canonical string) (_ *ambiguity, reason string) {
	r := reader{files: InFiles(canonical)}
	spaced := strings.ReplaceAll(raw, "+", "%20")
	texts := []string{raw, cutParameters(raw), before(raw, ";"), spaced, cutParameters(spaced), before(spaced, ";")}
	if r.files {
		texts = append(texts, before(raw, "&"), cutSegments(raw, "&"), cutSegments(raw, ":"))
	}
	for _, text := range texts {
		decoded, bad := decode(text)
		if bad != "" {
			return nil, bad
		}
		r.add(decoded)
	}
	for i := 0; i < len(r.texts) && r.reason == ""; i++ {
		r.follow(r.texts[i])
	}
	if r.reason != "" {
		return nil, r.reason
	}
	more := &ambiguity{params: r.params}
	for _, text := range r.texts {
		for _, form := range []string{fold(text), narrow(text)} {
			if form = trimSlash(squeeze(form)); form != canonical && !slices.Contains(more.readings, form) {
				more.readings = append(more.readings, form)
			}
		}
	}
	return more, ""
}

// reader collects the readings of one path.
type reader struct {
	texts  []string
	size   int // of all texts in bytes, and in segments
	depth  int
	files  bool // the path is an address of a file
	params PreviewParams
	reason string // why the path is refused
}

func (r *reader) add(text string) {
	if r.reason != "" || slices.Contains(r.texts, text) {
		return
	}
	r.size, r.depth = r.size+len(text), r.depth+strings.Count(text, "/")
	if len(r.texts) == maxReadings || r.size > maxReadingBytes || (r.depth > maxReadingSegments && len(r.texts) > 1) {
		r.reason = tooLong
		return
	}
	if r.reason = checkSegments(text); r.reason == "" {
		r.texts = append(r.texts, text)
	}
}

// follow adds the results of one more step of every kind.
func (r *reader) follow(text string) {
	r.decode(text)
	r.normalize(text)
	r.trim(text)
	r.add(strings.ReplaceAll(text, "+", " "))
	r.add(dropInvisible(text))
	r.add(cutParameters(text))
	r.add(before(text, ";"))
	r.add(before(text, "#"))
	if r.files {
		r.add(before(text, "&"))
		r.add(cutSegments(text, "&"))
		r.add(cutSegments(text, ":"))
		r.add(WithoutMarks(text))
	}
	if path, query, found := strings.Cut(text, "?"); found {
		r.add(path)
		r.params |= ParsePreviewParams(query)
	}
}

// decode adds the results of decoding one more layer of escapes. If those are not UTF-8, they are read as Latin-1,
// unless they may be an overlong "/".
func (r *reader) decode(text string) {
	decoded := decodeLenient(text)
	if decoded == text {
		return
	}
	if utf8.ValidString(decoded) {
		r.addOdd(decoded)
		return
	}
	if overlong(decoded) {
		r.reason = badUTF8
		return
	}
	for _, read := range []func(string) string{latin1, windows1252, decodeCarelessly, validUTF8} {
		r.addOdd(read(decoded))
	}
}

// addOdd adds a text after a second decoding or normalization. It may contain what is refused in a client's path, so it
// is read as such origins read it.
func (r *reader) addOdd(text string) {
	if strings.IndexByte(text, 0) >= 0 {
		r.reason = control
		return
	}
	r.add(squeeze(text))
	r.add(squeeze(strings.ReplaceAll(text, `\`, "/")))
	if i := strings.IndexFunc(text, unicode.IsControl); i >= 0 {
		r.add(squeeze(text[:i]))
		r.addOdd(strings.Map(func(c rune) rune {
			if unicode.IsControl(c) {
				return -1
			}
			return c
		}, text))
	}
}

// squeeze replaces runs of slashes with one.
func squeeze(text string) string {
	for strings.Contains(text, "//") {
		text = strings.ReplaceAll(text, "//", "/")
	}
	return text
}

// normalize adds the NFKC form, with characters that look like a slash read as a slash and as a part of a name.
func (r *reader) normalize(text string) {
	if isASCII(text) {
		return
	}
	if expands(text) {
		r.reason = tooLong
		return
	}
	form := norm.NFKC.String(text)
	r.addOdd(form)
	split := strings.Map(func(c rune) rune {
		if strings.ContainsRune(slashes, c) {
			return '/'
		}
		return c
	}, form)
	r.addOdd(split)
	r.add(strings.Map(func(c rune) rune {
		if c >= utf8.RuneSelf && looksLikeSlash(c) {
			return '\u25a1'
		}
		return c
	}, text))
}

// looksLikeSlash reports whether some origin takes a character for a slash, or for a text with one.
func looksLikeSlash(c rune) bool {
	var buffer [utf8.UTFMax]byte
	decomposed := norm.NFKD.Properties(utf8.AppendRune(buffer[:0], c)).Decomposition()
	return strings.ContainsRune(slashes, c) || bytes.ContainsAny(decomposed, "/\\\u2044")
}

// trim adds the text without spaces around segments, dots at their end and empty segments, as file systems read it.
func (r *reader) trim(text string) {
	if !hasEdges(text) && isASCII(text) {
		return
	}
	kept := []string{""}
	for _, segment := range strings.Split(text[1:], "/") {
		atEnd := func(c rune) bool { return c == '.' || unicode.IsSpace(c) }
		trimmed := strings.TrimRightFunc(strings.TrimSpace(segment), atEnd)
		switch {
		case trimmed == "" && strings.Contains(segment, "."):
			r.reason = dotSegment
			return
		case trimmed != "":
			kept = append(kept, trimmed)
		}
	}
	r.add("/" + strings.Join(kept[1:], "/"))
}

// cutParameters drops what follows a ";" in each segment.
func cutParameters(text string) string {
	if strings.IndexByte(text, ';') < 0 {
		return text
	}
	segments := strings.Split(text, "/")
	for i, segment := range segments {
		segments[i] = before(segment, ";")
	}
	return strings.Join(segments, "/")
}

// cutSegments drops what follows a separator in each segment, and empty segments. Image servers begin parameters with
// "&", and NTFS appends the name of a stream after ":".
func cutSegments(text, separator string) string {
	if !strings.Contains(text, separator) {
		return text
	}
	kept := []string{""}
	for _, segment := range strings.Split(text[1:], "/") {
		if segment = before(segment, separator); segment != "" {
			kept = append(kept, segment)
		}
	}
	return "/" + strings.Join(kept[1:], "/")
}

func before(text, separator string) string {
	text, _, _ = strings.Cut(text, separator)
	return text
}

// overlong reports whether invalid UTF-8 may be read as an overlong encoding of an ASCII character, or as half of a
// surrogate pair (CVE-2000-0884).
func overlong(text string) bool {
	for i := 0; i < len(text); i++ {
		next := byte(0)
		if i+1 < len(text) {
			next = text[i+1]
		}
		switch c := text[i]; {
		case (c == 0xc0 || c == 0xc1) && next&0xc0 == 0x80,
			c == 0xe0 && 0x80 <= next && next < 0xa0,
			c == 0xed && 0xa0 <= next && next < 0xc0,
			c == 0xf0 && 0x80 <= next && next < 0x90:
			return true
		}
	}
	return false
}

func validUTF8(text string) string { return strings.ToValidUTF8(text, "") }

// decodeCarelessly decodes overlong encodings without checking the bytes that follow.
func decodeCarelessly(text string) string {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if c, width := overlongASCII(text[i:]); width > 0 {
			out = append(out, c)
			i += width - 1
		} else {
			out = append(out, text[i])
		}
	}
	return strings.ToValidUTF8(string(out), "\ufffd")
}

func windows1252(text string) string {
	return strings.Map(func(r rune) rune {
		if 0x80 <= r && r < 0xa0 {
			return charmap.Windows1252.DecodeByte(byte(r))
		}
		return r
	}, latin1(text))
}

func latin1(text string) string {
	var b strings.Builder
	for text != "" {
		r, width := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && width == 1 {
			r = rune(text[0])
		}
		b.WriteRune(r)
		text = text[width:]
	}
	return b.String()
}

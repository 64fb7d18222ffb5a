// Package urlpath parses the path and the preview parameters of a request's URL. The result is a canonical Path, which
// is matched and forwarded, or an Error.
//
// It knows the ways in which servers behind the gateway may decode, normalize or shorten a path.
package urlpath

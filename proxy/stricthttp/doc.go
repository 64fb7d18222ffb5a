// Package stricthttp reads HTTP/1 from the public listener more strictly than net/http does, against request
// smuggling, and ends connections and streams that make no progress, in HTTP/1 and HTTP/2.
//
// It wraps a net.Listener and an http.Handler, and knows nothing about the gateway.
package stricthttp

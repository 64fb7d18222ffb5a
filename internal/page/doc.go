// Package page renders the gateway's own HTML pages and their JSON twins (RFC 9457 problem details).
// A handler describes what happened as a Page; Pages.Write chooses HTML or JSON and the language by the request,
// applies the operator's theme, and sets the security headers. All texts are in the catalogue.
// It never shows the text of an error: that is in the log, under the request id that the page shows.
// Of hubgate's packages it imports only inbound and setting.
package page

package gateway

import (
	"net/http"
	"testing"
)

// AdminHandler returns the admin API of a gateway whose token is configtest.AdminToken.
func AdminHandler(t *testing.T) http.Handler {
	t.Helper()
	return newOperator(t, withToken).handler
}

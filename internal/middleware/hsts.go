package middleware

import (
	"net/http"
	"strconv"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
)

// HSTS sends Strict-Transport-Security on https responses. With age 0 it does nothing.
func HSTS(age time.Duration, next http.Handler) http.Handler {
	if age == 0 {
		return next
	}
	value := "max-age=" + strconv.Itoa(int(age.Seconds()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if inbound.Of(r).Scheme == "https" {
			w = &hstsWriter{ResponseWriter: w, value: value}
		}
		next.ServeHTTP(w, r)
	})
}

// hstsWriter sets the header last, so that it replaces the one of the origin, which is meant for another host.
type hstsWriter struct {
	http.ResponseWriter
	value string
	sent  bool
}

func (w *hstsWriter) WriteHeader(status int) {
	if !w.sent && status >= 200 {
		w.sent = true
		w.Header().Set("Strict-Transport-Security", w.value)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *hstsWriter) Write(p []byte) (int, error) {
	if !w.sent {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap returns the wrapped writer, for http.ResponseController.
func (w *hstsWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

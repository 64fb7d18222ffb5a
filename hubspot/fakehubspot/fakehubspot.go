package fakehubspot

import "net/http"

type Config struct{ Token string }
type Server struct{}

func New(Config) *Server                                           { return &Server{} }
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

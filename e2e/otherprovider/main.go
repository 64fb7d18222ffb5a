// Command otherprovider is an OpenID provider that hubgate's authors did not write: the example server of zitadel/oidc.
// It is a module of its own, so that hubgate does not get its dependencies. Usage: otherprovider PORT REDIRECT_URI
package main

import (
	"log/slog"
	"net/http"
	"os"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

func main() {
	port, redirect := os.Args[1], os.Args[2]
	issuer := "http://localhost:" + port + "/"
	storage.RegisterClients(storage.WebClient("web", "secret", redirect))
	users := storage.NewStorage(storage.NewUserStore(issuer))
	router := exampleop.SetupServer(issuer, users, slog.New(slog.DiscardHandler), false)
	if err := http.ListenAndServe("127.0.0.1:"+port, router); err != nil {
		slog.Error("otherprovider", "error", err)
		os.Exit(1)
	}
}

package fakecognito

import (
	"html/template"
	"net/http"
)

// pages resemble Cognito's managed login, so that people who try the demo recognize the step.
var pages = template.Must(template.New("pages").Parse(`{{define "head"}}<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title><style>
:root{color-scheme:light dark;--bg:#eef1f5;--card:#fff;--ink:#1b2430;--dim:#5a6675;--line:#8a96a6;--go:#1f5fbf;
--bad:#a3211b}
@media (prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1c232c;--ink:#e8edf3;--dim:#a5b0bd;--line:#6b7786;
--go:#7fb0ff;--bad:#ff9a92}}
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--bg);
color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{width:min(26rem,100vw - 2rem);background:var(--card);padding:2rem;border-radius:.75rem;
box-shadow:0 1px 12px #0002}
h1{font-size:1.35rem;margin:0 0 .25rem}p{margin:.25rem 0 1rem;color:var(--dim)}label{display:block;font-weight:600;
margin:.9rem 0 .25rem}
input{width:100%;padding:.6rem .7rem;font:inherit;color:inherit;background:transparent;border:1px solid var(--line);
border-radius:.4rem}
button{width:100%;margin-top:1.25rem;padding:.7rem;font:inherit;font-weight:600;border:0;border-radius:.4rem;
background:var(--go);color:var(--card);cursor:pointer}
:focus-visible{outline:3px solid var(--go);outline-offset:2px}.bad{color:var(--bad);font-weight:600}</style></head>
<body><main>{{end}}
{{define "login"}}{{template "head" .}}<h1>Sign in</h1><p>This is a fake Amazon Cognito.
Accounts: alice@example.com and bob@example.com, password demo.</p>
{{if .Error}}<p class="bad" role="alert">{{.Error}}</p>{{end}}
<form method="post" action="/login?{{.Query}}"><label for="username">Email address</label>
<input id="username" name="username" type="email" autocomplete="username" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">Sign in</button></form></main></body></html>{{end}}
{{define "error"}}{{template "head" .}}<h1>An error was encountered with the requested page.</h1><p>{{.Error}}</p>
</main></body></html>{{end}}`))

type pageData struct {
	Title, Error string
	Query        template.URL
}

func loginPage(w http.ResponseWriter, status int, query, problem string) {
	// The query is the app's request, which authorize has checked. html/template still escapes it for the attribute.
	show(w, status, "login", pageData{Title: "Sign in", Query: template.URL(query), Error: problem})
}

func (s *Server) showError(w http.ResponseWriter, r *http.Request) {
	show(w, http.StatusBadRequest, "error", pageData{Title: "Error", Error: r.URL.Query().Get("error")})
}

func show(w http.ResponseWriter, status int, name string, data pageData) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = pages.ExecuteTemplate(w, name, data) // fails only if the client has disconnected
}

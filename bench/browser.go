package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// browser is a visitor's browser with a cookie jar.
type browser struct {
	site   string
	client *http.Client
}

func newBrowser(site string) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &browser{site, &http.Client{Jar: jar, Transport: &http.Transport{MaxIdleConnsPerHost: 2}}}, nil
}

func (b *browser) close() { b.client.CloseIdleConnections() }

// page is the final response after redirects.
type page struct {
	status int
	url    *url.URL
	body   string
}

func (b *browser) do(ctx context.Context, method, address string, form url.Values) (page, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return page{}, err
	}
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Dest", "document")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Accept", "text/html")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.client.Do(req)
	if err != nil {
		return page{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return page{res.StatusCode, res.Request.URL, string(body)}, err
}

// login opens a page and logs in with the provider's form.
func (b *browser) login(ctx context.Context, path string) error {
	form, err := b.do(ctx, http.MethodGet, b.site+path, nil)
	if err != nil {
		return err
	}
	if form.url.Path != "/login" {
		return fmt.Errorf("%s led to %s (%d), not to the provider's form", path, form.url, form.status)
	}
	got, err := b.do(ctx, http.MethodPost, form.url.String(),
		url.Values{"username": {"alice@example.com"}, "password": {"demo"}})
	if err == nil && (got.status != http.StatusOK || got.url.Path != path) {
		err = fmt.Errorf("login ended at %s (%d): %.300s", got.url, got.status, got.body)
	}
	return err
}

// read opens a page, and logs in again if an operator ended the session.
func (b *browser) read(ctx context.Context, path string) error {
	got, err := b.do(ctx, http.MethodGet, b.site+path, nil)
	if err != nil {
		return err
	}
	if got.url.Path == "/login" {
		return b.login(ctx, path)
	}
	if got.status != http.StatusOK || got.url.Path != path {
		return fmt.Errorf("%s ended at %s: %d", path, got.url, got.status)
	}
	return nil
}

func (b *browser) logout(ctx context.Context) error {
	got, err := b.do(ctx, http.MethodPost, b.site+"/oauth2/sign_out", nil)
	if err == nil && !strings.HasSuffix(got.url.Path, "/signed_out") {
		err = fmt.Errorf("logout ended at %s: %d", got.url, got.status)
	}
	return err
}

// endAll ends all sessions of a user, like an operator.
func (b *browser) endAll(ctx context.Context, admin string) error {
	body, err := askAdmin(ctx, http.MethodDelete, "http://"+admin+"/api/sessions?user=alice@example.com")
	if err != nil {
		return err
	}
	return body.Close()
}

// askAdmin sends a request to an admin listener and returns the body of a 200.
func askAdmin(ctx context.Context, method, address string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		return nil, fmt.Errorf("%s %s: status %d", method, address, res.StatusCode)
	}
	return res.Body, nil
}

package bincache

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Credential is what one host wants to see before it answers. The secret sits behind a function, so that no way of
// printing a Credential, nor anything that holds one, can show it.
type Credential struct {
	Host   string // host, which fits every port, or host:port
	secret func() secret
}

type secret struct{ header, word string }

// Basic authorizes requests to host with a login, which may be empty, and a password. Nix sends a netrc entry so.
func Basic(host, login, password string) Credential {
	s := secret{header: "Basic " + base64.StdEncoding.EncodeToString([]byte(login+":"+password)), word: password}
	return Credential{Host: host, secret: func() secret { return s }}
}

func (c Credential) check() error {
	if c.Host == "" || c.secret == nil {
		return errors.New("use credential: it names no host or holds nothing")
	}
	s := c.secret()
	switch {
	case s.word == "":
		return fmt.Errorf("use credential for %.100q: it is empty", c.Host)
	case strings.ContainsFunc(s.word, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("use credential for %.100q: it holds a control character", c.Host)
	}
	return nil
}

func (c Credential) fits(u *url.URL) bool {
	if strings.EqualFold(c.Host, u.Hostname()) || strings.EqualFold(c.Host, u.Host) {
		return true
	}
	host, port, err := net.SplitHostPort(c.Host)
	return err == nil && port == defaultPort(u) && strings.EqualFold(host, u.Hostname())
}

// defaultPort is u's port where the URL leaves it to the scheme.
func defaultPort(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// authorizer adds credentials to each hop of a request by itself. net/http never sees them, so it cannot carry them
// along a redirect, which it does towards subdomains.
type authorizer struct {
	base        http.RoundTripper
	credentials []Credential
}

func (a *authorizer) find(u *url.URL) (secret, bool) {
	for _, c := range a.credentials {
		if c.fits(u) {
			return c.secret(), true
		}
	}
	return secret{}, false
}

// RoundTrip sends r, with the credential of its host. Over plain HTTP the credential goes only to the host that the
// user named with http://, never to where a redirect led.
func (a *authorizer) RoundTrip(r *http.Request) (*http.Response, error) {
	s, ok := a.find(r.URL)
	if !ok || (r.URL.Scheme != "https" && !plainAllTheWay(r)) {
		return a.base.RoundTrip(r)
	}
	authorized := r.Clone(r.Context())
	authorized.Header.Set("Authorization", s.header)
	resp, err := a.base.RoundTrip(authorized)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

func plainAllTheWay(r *http.Request) bool {
	first := r
	for first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
	}
	return first.URL.Scheme == "http" && first.URL.Host == r.URL.Host
}

// scrub takes every known secret out of a text that a server sent.
func (a *authorizer) scrub(text string) string {
	for _, c := range a.credentials {
		s := c.secret()
		_, encoded, _ := strings.Cut(s.header, " ")
		text = strings.NewReplacer(s.word, "***", encoded, "***").Replace(text)
	}
	return text
}

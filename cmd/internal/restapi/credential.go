// Credentials, which stay with the hosts that they are for.

package restapi

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"garnix2gha/cmd/internal/secretsource"
)

// Credential is what one host wants to see before it answers.
type Credential struct {
	Host         string             // host, which fits every port, or host:port
	header, word secretsource.Value // "Scheme encoded", and the secret itself
}

// Basic authorizes requests to host with a login, which may be empty, and a password. Nix sends a netrc entry so.
func Basic(host, login string, password secretsource.Value) Credential {
	encoded := base64.StdEncoding.EncodeToString([]byte(login + ":" + password.Reveal()))
	return Credential{Host: host, header: secretsource.NewValue("Basic " + encoded), word: password}
}

// check refuses a credential that no host can want to see.
func (c Credential) check() error {
	switch {
	case c.Host == "":
		return errors.New("use credential: it names no host")
	case c.word.Empty():
		return fmt.Errorf("use credential for %.100q: it is empty", c.Host)
	case strings.ContainsFunc(c.word.Reveal(), func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("use credential for %.100q: it holds a control character", c.Host)
	}
	return nil
}

func (c Credential) fits(u *url.URL) bool {
	return strings.EqualFold(c.Host, u.Hostname()) || strings.EqualFold(c.Host, u.Host)
}

// credentials are all that the caller has, its token first.
func (c Caller) credentials() []Credential {
	if c.Token.Empty() {
		return c.Credentials
	}
	base, err := url.Parse(c.BaseURL)
	if err != nil {
		return c.Credentials
	}
	token := Credential{Host: base.Host, header: secretsource.NewValue("Bearer " + c.Token.Reveal()), word: c.Token}
	return append([]Credential{token}, c.Credentials...)
}

// credential is the one for the host of u.
func (c Caller) credential(u *url.URL) (Credential, bool) {
	for _, known := range c.credentials() {
		if known.fits(u) {
			return known, true
		}
	}
	return Credential{}, false
}

// authorizer adds credentials to each hop of a request by itself. net/http never sees them, so it cannot carry them
// along a redirect, which it does towards subdomains.
type authorizer struct {
	caller Caller
	base   http.RoundTripper
}

// RoundTrip sends r, with the credential of its host. Over plain HTTP the credential goes only to the host that the
// caller named with http://, never to where a redirect led.
func (a authorizer) RoundTrip(r *http.Request) (*http.Response, error) {
	found, ok := a.caller.credential(r.URL)
	if !ok || (r.URL.Scheme != "https" && !plainAllTheWay(r)) {
		return a.base.RoundTrip(r)
	}
	authorized := r.Clone(r.Context())
	authorized.Header.Set("Authorization", found.header.Reveal())
	response, err := a.base.RoundTrip(authorized)
	if response != nil {
		response.Request = r
	}
	return response, err
}

func plainAllTheWay(r *http.Request) bool {
	first := r
	for first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
	}
	return first.URL.Scheme == "http" && first.URL.Host == r.URL.Host
}

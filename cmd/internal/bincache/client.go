// Package bincache talks HTTP to Nix binary caches: which store paths they serve, and whether Nix would accept them.
//
// It reads narinfos with its own small parser, because nix-community/go-nix has no releases, is idle, and brings a
// database or two into the module graph.
package bincache

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/cmd/internal/secretsource"
)

// Config says which cache to talk to and how. Only URL is required.
type Config struct {
	URL       string   // store parameters after a "?" are ignored; a "user:password@" counts as a credential
	Upstreams []string // further caches that the users of this one have, asked in order for what it lacks
	// PublicKeys are the trusted keys, as "name:base64". With none, signatures are not looked at. With any, the key of
	// cache.nixos.org is trusted too, as by every Nix.
	PublicKeys []string
	Caller     restapi.Caller // the credentials, and how to wait; without HTTP it has as many connections as are needed
}

const (
	maxRequests = 32        // of one Verify at any time
	maxHeader   = 256 << 10 // bytes
	maxStrikes  = 4         // paths in a row, each with all its retries, after which a cache counts as down
)

// Client asks one cache and its upstreams. Several goroutines may use it at once.
type Client struct {
	cache     *source
	upstreams []*source
	requests  int // at any time, of one Verify
}

// New checks a configuration. The error names what is wrong in it and never repeats a secret.
func New(cfg Config) (*Client, error) {
	c := &Client{requests: maxRequests}
	var keys []PublicKey
	if len(cfg.PublicKeys) > 0 {
		for _, text := range append(cfg.PublicKeys[:len(cfg.PublicKeys):len(cfg.PublicKeys)], nixOSKey) {
			key, err := ParsePublicKey(text)
			if err != nil {
				return nil, err
			}
			keys = append(keys, key)
		}
	}
	caller := cfg.Caller
	caller.Roams, caller.Limit = true, maxNarInfo
	if caller.HTTP == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost, transport.MaxConnsPerHost = maxRequests, maxRequests
		transport.MaxResponseHeaderBytes = maxHeader
		caller.HTTP = &http.Client{Transport: transport}
	}
	for _, address := range append([]string{cfg.URL}, cfg.Upstreams...) {
		at, err := newSource(caller, address, keys)
		if err != nil {
			return nil, err
		}
		c.upstreams = append(c.upstreams, at)
	}
	c.cache, c.upstreams = c.upstreams[0], c.upstreams[1:]
	return c, nil
}

// URL is the address of the cache, with nothing in it that may be secret.
func (c *Client) URL() string { return c.cache.caller.BaseURL }

// newSource takes the credential out of an address, and drops store parameters.
func newSource(caller restapi.Caller, address string, keys []PublicKey) (*source, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		// The parser's error repeats the address, and with it a password.
		return nil, errors.New("parse cache URL: not a URL")
	}
	if u.User != nil {
		password, _ := u.User.Password()
		caller.Credentials = append(slices.Clip(caller.Credentials), restapi.Basic(u.Host, u.User.Username(), secretsource.NewValue(password)))
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	caller.BaseURL, caller.Party = strings.TrimRight(u.String(), "/"), restapi.Clean(u.Host)
	if caller.Party == "" {
		caller.Party = "the cache"
	}
	if err := caller.Check(); err != nil {
		return nil, err
	}
	return &source{caller: caller, keys: keys}, nil
}

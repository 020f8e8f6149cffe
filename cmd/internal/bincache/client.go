// Package bincache talks HTTP to Nix binary caches: what a cache is, which store paths it serves, and whether Nix would
// accept them.
//
// It reads narinfos with its own small parser, because nix-community/go-nix has no releases, is idle, and brings a
// database or two into the module graph.
package bincache

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config says which cache to talk to and how. Only URL is required.
type Config struct {
	// URL of the cache. Store parameters after a "?" are ignored; a "user:password@" counts as a credential.
	URL string
	// Upstreams are further caches that the users of this one have, asked in order for what it lacks.
	Upstreams []string
	// PublicKeys are the trusted keys, as "name:base64". With none, signatures are not looked at. With any, the key of
	// cache.nixos.org is trusted too, as by every Nix.
	PublicKeys []string
	// Credentials are sent to the hosts they name and to no others; the first that fits a host counts.
	Credentials []Credential
	// HTTP gives the transport, cookie jar and overall time limit. Nil means a transport of our own that keeps as many
	// connections open as Concurrency needs. Redirects always follow this package's rules.
	HTTP *http.Client
	// Concurrency bounds the requests of one Verify at any time; 0 means 32.
	Concurrency int
	// Timeout bounds one attempt from connecting to the last byte; 0 means 30 s.
	Timeout time.Duration
	Retry   Retry
}

const (
	defaultConcurrency = 32
	defaultTimeout     = 30 * time.Second
	maxHeader          = 256 << 10 // bytes
)

// Client asks one cache and its upstreams. Several goroutines may use it at once.
type Client struct {
	cache       endpoint
	upstreams   []endpoint
	keys        []PublicKey
	auth        *authorizer
	http        *http.Client
	concurrency int
	timeout     time.Duration
	retry       Retry
}

// endpoint is the root of a cache or an API, without credentials.
type endpoint struct {
	base       string // without a slash at the end
	host       string // fit to print
	authorized bool   // whether a credential is known for the host
}

// New checks a configuration. The error names what is wrong in it and never repeats a secret.
func New(cfg Config) (*Client, error) {
	c := &Client{concurrency: cfg.Concurrency, timeout: cfg.Timeout, retry: cfg.Retry.withDefaults(), auth: &authorizer{}}
	if c.concurrency <= 0 {
		c.concurrency = defaultConcurrency
	}
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	for _, credential := range cfg.Credentials {
		if err := credential.check(); err != nil {
			return nil, err
		}
		c.auth.credentials = append(c.auth.credentials, credential)
	}
	for i, address := range append([]string{cfg.URL}, cfg.Upstreams...) {
		u, credential, err := parseURL(address)
		if err != nil {
			return nil, err
		}
		if credential != nil {
			if err := credential.check(); err != nil {
				return nil, err
			}
			c.auth.credentials = append(c.auth.credentials, *credential)
		}
		if i == 0 {
			c.cache = c.endpoint(u)
		} else {
			c.upstreams = append(c.upstreams, c.endpoint(u))
		}
	}
	if len(cfg.PublicKeys) > 0 {
		for _, text := range append(cfg.PublicKeys[:len(cfg.PublicKeys):len(cfg.PublicKeys)], NixOSKey) {
			key, err := ParsePublicKey(text)
			if err != nil {
				return nil, err
			}
			c.keys = append(c.keys, key)
		}
	}
	c.http = c.client(cfg.HTTP)
	return c, nil
}

// client lays the credentials and the redirect policy over what the caller gave.
func (c *Client) client(given *http.Client) *http.Client {
	out := &http.Client{}
	if given != nil {
		*out = *given
	}
	out.CheckRedirect = follow
	c.auth.base = out.Transport
	if c.auth.base == nil {
		dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
		c.auth.base = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    10 * time.Second,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    c.concurrency,
			MaxConnsPerHost:        c.concurrency,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: maxHeader,
		}
	}
	out.Transport = c.auth
	return out
}

func (c *Client) endpoint(u *url.URL) endpoint {
	_, authorized := c.auth.find(u)
	return endpoint{base: strings.TrimRight(u.String(), "/"), host: oneLine(u.Host), authorized: authorized}
}

// parseURL checks the address of a cache or an API, takes the credential out of it, and drops store parameters.
func parseURL(address string) (*url.URL, *Credential, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		// The parser's error repeats the address, and with it a password.
		return nil, nil, errors.New("parse cache URL: not a URL")
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return nil, nil, errors.New("parse cache URL: not an http or https address with a host")
	}
	var credential *Credential
	if u.User != nil {
		password, _ := u.User.Password()
		inURL := Basic(u.Host, u.User.Username(), password)
		credential = &inURL
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	return u, credential, nil
}

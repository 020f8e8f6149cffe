package settings

import (
	"regexp"
	"strings"
)

// Cache is where builds go and where they are looked for.
type Cache struct {
	Backend Backend

	// URL is the substituter that is read, without a final slash. It is "" only for a Cachix cache whose name is in
	// a variable, and then known when the workflow runs.
	URL        string
	PublicKeys []string // "name-1:base64", as trusted-public-keys has them; empty means not given
	Private    bool     // reading needs TokenSecret
	Upstreams  []string // substituters whose paths count as present, without final slashes

	// PushRefs are the branches whose pushes write to the cache; never empty.
	PushRefs []Pattern

	// TokenSecret names the Actions secret with the token of the cache; "" means that there is none, which only a
	// Store can do without.
	TokenSecret string
}

// Backend is how the cache is written: a Cachix, a Store or an Attic, and nothing else.
type Backend interface{ backend() }

// Cachix is a cache at cachix.org, written by the cachix client.
type Cachix struct {
	Name             string // "" means that the repository variable NameVariable holds it
	NameVariable     string
	SigningKeySecret string // names the secret with the key of a self-signed cache; "" means that Cachix signs
}

// Store is a store that "nix copy" writes and HTTP reads.
type Store struct {
	PushURL          string
	SigningKeySecret string     // names the secret with the key that signs what is copied; "" means unsigned
	S3               *S3Secrets // nil unless PushURL is of S3 and takes its credentials from secrets
}

// S3Secrets names the secrets with the credentials of an S3 store.
type S3Secrets struct {
	AccessKey string
	SecretKey string
}

// Attic is a cache of an attic server, written by the attic client.
type Attic struct {
	Server string // URL without a final slash
	Name   string // of the cache on the server
}

func (Cachix) backend() {}
func (Store) backend()  {}
func (Attic) backend()  {}

// The values of cache.backend, and the defaults that differ from "".
const (
	backendCachix = "cachix"
	backendNix    = "nix"
	backendAttic  = "attic"

	defaultNameVariable    = "CACHIX_CACHE_NAME"
	defaultAtticToken      = "ATTIC_TOKEN"
	defaultAccessKeySecret = "AWS_ACCESS_KEY_ID"
	defaultSecretKeySecret = "AWS_SECRET_ACCESS_KEY"
)

var (
	cacheName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	dnsLabel  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
)

// cacheText is the section as it is written, before the backend tells which keys count.
type cacheText struct {
	backend, name, nameVariable, pushURL, server             string
	token, signingKey, accessKeySecret, secretKeySecret, url string
}

func (p *parser) cache(v value, c *Cache) {
	cachix := c.Backend.(Cachix)
	raw := cacheText{
		backend:         backendCachix,
		nameVariable:    cachix.NameVariable,
		accessKeySecret: defaultAccessKeySecret,
		secretKeySecret: defaultSecretKeySecret,
	}
	p.mapping(v, fields{
		"backend":       func(v value) { choice(p, v, &raw.backend, backendCachix, backendNix, backendAttic) },
		"name":          func(v value) { p.text(v, &raw.name, orEmpty(checkCacheName)) },
		"name-variable": func(v value) { p.text(v, &raw.nameVariable, checkSecretName) },
		"url":           func(v value) { p.text(v, &raw.url, orEmpty(checkReadURL)) },
		"push-url":      func(v value) { p.text(v, &raw.pushURL, orEmpty(checkPushURL)) },
		"server":        func(v value) { p.text(v, &raw.server, orEmpty(checkReadURL)) },
		"public-key": func(v value) {
			c.PublicKeys, _ = p.texts(v, true, checkPublicKey)
		},
		"private": func(v value) { p.boolean(v, &c.Private) },
		"upstreams": func(v value) {
			urls, _ := p.texts(v, false, checkReadURL)
			c.Upstreams = make([]string, len(urls))
			for i, url := range urls {
				c.Upstreams[i] = withoutSlash(url)
			}
		},
		"push-refs": func(v value) {
			p.patterns(v, &c.PushRefs, "nothing would ever be pushed; name the branches, or leave the key out for every branch")
		},
		"token-secret":       func(v value) { p.text(v, &raw.token, orEmpty(checkSecretName)) },
		"signing-key-secret": func(v value) { p.text(v, &raw.signingKey, orEmpty(checkSecretName)) },
		"access-key-secret":  func(v value) { p.text(v, &raw.accessKeySecret, orEmpty(checkSecretName)) },
		"secret-key-secret":  func(v value) { p.text(v, &raw.secretKeySecret, orEmpty(checkSecretName)) },
	})
	if p.faulty["cache.backend"] || p.faulty["cache"] {
		return
	}
	p.unusedCacheKeys(raw)
	c.URL = withoutSlash(raw.url)
	switch raw.backend {
	case backendCachix:
		p.cachix(c, cachix, raw)
	case backendNix:
		p.store(c, raw)
	case backendAttic:
		p.attic(c, raw)
	}
}

// unusedCacheKeys refuses keys that the chosen backend never reads, unless they only repeat a default.
func (p *parser) unusedCacheKeys(raw cacheText) {
	cachix, nix, attic := raw.backend == backendCachix, raw.backend == backendNix, raw.backend == backendAttic
	s3 := nix && (strings.HasPrefix(raw.pushURL, "s3:") || p.faulty["cache.push-url"])
	for _, key := range []struct {
		path, got, standard string
		read                bool
		why                 string
	}{
		{"cache.name", raw.name, "", cachix || attic, "backend nix writes to push-url"},
		{"cache.name-variable", raw.nameVariable, defaultNameVariable, cachix && raw.name == "", "only backend cachix without a name reads it"},
		{"cache.push-url", raw.pushURL, "", nix, "only backend nix reads it"},
		{"cache.server", raw.server, "", attic, "only backend attic reads it"},
		{"cache.signing-key-secret", raw.signingKey, "", cachix || nix, "an attic server signs by itself"},
		{"cache.access-key-secret", raw.accessKeySecret, defaultAccessKeySecret, s3, "only backend nix with an s3 push-url reads it"},
		{"cache.secret-key-secret", raw.secretKeySecret, defaultSecretKeySecret, s3, "only backend nix with an s3 push-url reads it"},
	} {
		if !key.read && key.got != "" && key.got != key.standard {
			p.fault(key.path, "unused-setting", "remove it, or choose the backend that it belongs to",
				"%s has no effect: %s", key.path, key.why)
		}
	}
}

func (p *parser) cachix(c *Cache, b Cachix, raw cacheText) {
	b.Name, b.NameVariable, b.SigningKeySecret = raw.name, raw.nameVariable, raw.signingKey
	c.Backend = b
	if raw.token != "" {
		c.TokenSecret = raw.token
	}
	if b.Name == "" {
		return
	}
	if c.URL == "" {
		c.URL = "https://" + b.Name + ".cachix.org"
	}
	if !dnsLabel.MatchString(b.Name) {
		p.warn("cache.name", "cache-name", "look it up at app.cachix.org",
			"cache.name does not look like a Cachix cache: names have lower-case letters, digits and hyphens")
	}
}

func (p *parser) store(c *Cache, raw cacheText) {
	b := Store{PushURL: raw.pushURL, SigningKeySecret: raw.signingKey}
	c.TokenSecret = raw.token
	p.require("cache.url", raw.url, `give the address that Nix reads from, for example "https://cache.example.org"`)
	p.require("cache.push-url", raw.pushURL, `give what "nix copy --to" writes, for example "s3://bucket?region=eu-central-1"`)
	if strings.HasPrefix(b.PushURL, "s3:") && raw.accessKeySecret+raw.secretKeySecret != "" {
		b.S3 = &S3Secrets{AccessKey: raw.accessKeySecret, SecretKey: raw.secretKeySecret}
		const hint = "name both secrets, or leave both empty if the runner has credentials of its own"
		p.require("cache.access-key-secret", raw.accessKeySecret, hint)
		p.require("cache.secret-key-secret", raw.secretKeySecret, hint)
	}
	c.Backend = b
	if len(c.PublicKeys) == 0 && !p.faulty["cache.public-key"] {
		p.warn("cache", "public-key-missing", `add public-key, which "nix key convert-secret-to-public" prints`,
			"without cache.public-key Nix takes nothing from the cache")
	}
	if c.Private && raw.token == "" && !p.faulty["cache.token-secret"] {
		p.warn("cache.private", "token-missing", "add token-secret, the name of a secret with the password",
			"a private cache cannot be read without cache.token-secret")
	}
}

func (p *parser) attic(c *Cache, raw cacheText) {
	b := Attic{Server: withoutSlash(raw.server), Name: raw.name}
	c.TokenSecret = defaultAtticToken
	if raw.token != "" {
		c.TokenSecret = raw.token
	}
	p.require("cache.url", raw.url, `give the address that Nix reads from, for example "https://attic.example.org/name"`)
	p.require("cache.server", raw.server, `give the address of the attic server, for example "https://attic.example.org"`)
	if b.Name == "" && c.URL != "" && !p.faulty["cache.name"] {
		if b.Name = lastPart(c.URL); !cacheName.MatchString(b.Name) {
			p.fault("cache.name", "missing-key", "give the name of the cache on the attic server", "cache.name is needed: cache.url does not end in it")
		}
	}
	c.Backend = b
}

// require reports a key that the backend cannot do without.
func (p *parser) require(path, got, hint string) {
	if got == "" && !p.faulty[path] {
		p.fault(path, "missing-key", hint, "%s is needed with this backend", path)
	}
}

// checkCacheName holds names to what can be part of a host name or of a path.
func checkCacheName(text string) *problem {
	const most = 63 // a DNS label
	switch {
	case strings.Contains(text, ".cachix.org"):
		return &problem{code: "cache-name", hint: "write only what stands before .cachix.org", message: "must be the name alone"}
	case len(text) > most || !cacheName.MatchString(text):
		return &problem{code: "cache-name", hint: `for example "my-project"`,
			message: "must have at most 63 letters, digits, dots, underscores and hyphens, and begin with a letter or digit"}
	}
	return nil
}

// orEmpty lets a check pass "", which stands for the default.
func orEmpty(check func(string) *problem) func(string) *problem {
	return func(text string) *problem {
		if text == "" {
			return nil
		}
		return check(text)
	}
}

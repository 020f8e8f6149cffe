package leftovers

import (
	"fmt"
	"regexp"
	"strings"
)

// Replacement is the cache that takes garnix's place. Zero: none does, garnix is only taken out.
type Replacement struct {
	CacheURL   string   // as in substituters
	PublicKeys []string // as in trusted-public-keys: name:base64
}

// What a replacement may hold: nothing that ends a string, a word or a line in Nix, nix.conf, JSON, YAML and TOML.
var (
	replacementURL = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://[A-Za-z0-9._~:/?&=%@+,-]*[A-Za-z0-9/=]$`)
	replacementKey = regexp.MustCompile(`^[A-Za-z0-9._-]+:[A-Za-z0-9+/]+=*$`)
)

// plain is a text that no quotes are needed for: a URI literal of Nix, a scalar of YAML, a word of the shell.
var plain = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/=%@+-]+$`)

// Check refuses what would break a file, and garnix's own cache.
func (r Replacement) Check() error {
	if r.CacheURL != "" && (!replacementURL.MatchString(r.CacheURL) || isGarnix(r.CacheURL)) {
		return fmt.Errorf("replace garnix: %q is not the URL of a new cache", r.CacheURL)
	}
	for _, key := range r.PublicKeys {
		if !replacementKey.MatchString(key) || isGarnix(key) {
			return fmt.Errorf("replace garnix: %q is not the public key of a new cache (name:base64)", key)
		}
	}
	return nil
}

func isGarnix(text string) bool {
	return strings.Contains(strings.ToLower(text), cacheHost) || strings.Contains(text, keyStart)
}

// successors are what takes the place of a literal.
func (r Replacement) successors(kind literalKind) []string {
	switch {
	case kind == literalURL && r.CacheURL != "":
		return []string{r.CacheURL}
	case kind == literalKey:
		return r.PublicKeys
	case kind == literalBareKey && len(r.PublicKeys) == 1:
		_, bare, _ := strings.Cut(r.PublicKeys[0], ":")
		return []string{bare}
	}
	return nil
}

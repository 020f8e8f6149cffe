// Why Nix would take a path: a trusted signature.

package bincache

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strings"
)

// PublicKey is one entry of trusted-public-keys.
type PublicKey struct {
	Name string
	key  ed25519.PublicKey
}

// NixOSKey is the key of cache.nixos.org, which is in Nix's built-in settings.
const NixOSKey = "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="

// ParsePublicKey reads "name:base64". The error never repeats the value: it may be a secret key given by mistake.
func ParsePublicKey(s string) (PublicKey, error) {
	name, text, ok := strings.Cut(strings.TrimSpace(s), ":")
	if !ok || name == "" {
		return PublicKey{}, fmt.Errorf("parse public key: not of the form \"name:base64\"")
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	switch {
	case err != nil:
		return PublicKey{}, fmt.Errorf("parse public key %.64q: not base64", name)
	case len(raw) == ed25519.PrivateKeySize:
		return PublicKey{}, fmt.Errorf("parse public key %.64q: this is a secret key; the public one has %d bytes", name, ed25519.PublicKeySize)
	case len(raw) != ed25519.PublicKeySize:
		return PublicKey{}, fmt.Errorf("parse public key %.64q: %d bytes, not %d", name, len(raw), ed25519.PublicKeySize)
	}
	return PublicKey{Name: name, key: raw}, nil
}

// SignedBy returns the name of the first of the keys that signed the narinfo; false if none did. As in Nix, a
// signature counts only under the key of its own name.
func (n NarInfo) SignedBy(keys []PublicKey) (string, bool) {
	fingerprint := []byte(n.Fingerprint())
	for _, sig := range n.Sigs {
		name, text, _ := strings.Cut(sig, ":")
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(raw) != ed25519.SignatureSize {
			continue
		}
		for _, key := range keys {
			if key.Name == name && ed25519.Verify(key.key, fingerprint, raw) {
				return name, true
			}
		}
	}
	return "", false
}

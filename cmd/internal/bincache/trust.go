// Why Nix would take a path: a trusted signature, or a content address.

package bincache

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
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

// ContentAddressed reports whether the store path follows from the narinfo's content address. Nix wants no signature
// of such a path (ValidPathInfo::checkSignatures), so neither may a verification.
func (n NarInfo) ContentAddressed() bool {
	method, hash, ok := parseContentAddress(n.CA)
	return ok && n.pathOf(method, hash) == n.StorePath.base
}

// parseContentAddress splits "text:<hash>", "fixed:<hash>", "fixed:r:<hash>" and "fixed:git:<hash>".
func parseContentAddress(ca string) (method string, hash nixHash, ok bool) {
	for _, method := range []string{"text:", "fixed:r:", "fixed:git:", "fixed:"} {
		if rest, found := strings.CutPrefix(ca, method); found {
			hash, err := parseNixHash(rest)
			return method, hash, err == nil
		}
	}
	return "", nixHash{}, false
}

// pathOf computes the base name of a content-addressed path; "" if Nix would not make one.
// Source: makeFixedOutputPath and makeTextPath in libstore/store-dir-config.cc.
func (n NarInfo) pathOf(method string, hash nixHash) string {
	others := slices.DeleteFunc(slices.Clone(n.References), func(ref StorePath) bool { return ref == n.StorePath })
	self := len(others) < len(n.References)
	kind := "source"
	switch {
	case method == "text:" && hash.algo == "sha256" && !self:
		kind = "text"
	case method == "fixed:r:" && (hash.algo == "sha256" || hash.algo == "blake3"):
	case method != "text:" && len(n.References) == 0:
		inner := sha256.Sum256([]byte("fixed:out:" + strings.TrimPrefix(method, "fixed:") + hash.base16() + ":"))
		return storeBase("output:out", "sha256:"+hex.EncodeToString(inner[:]), n.StorePath.Name())
	default:
		return ""
	}
	for _, ref := range others {
		kind += ":" + ref.String()
	}
	if self {
		kind += ":self"
	}
	return storeBase(kind, hash.base16(), n.StorePath.Name())
}

func storeBase(kind, hash, name string) string {
	sum := sha256.Sum256([]byte(kind + ":" + hash + ":" + StoreDir + ":" + name))
	var folded [20]byte
	for i, b := range sum {
		folded[i%len(folded)] ^= b
	}
	return encodeNix32(folded[:]) + "-" + name
}

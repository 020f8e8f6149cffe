// The narinfo: what a cache says about one store path, and whether a trusted key signed it.

package bincache

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxNarInfo = 1 << 20 // bytes
	nix32Len   = 52      // digits of a sha256 hash
)

// NarInfo is what a binary cache says about one store path, as far as it decides whether Nix would take the path.
type NarInfo struct {
	StorePath  StorePath
	NarHash    string      // of the archive, always "sha256:<base 32>"
	NarSize    uint64      // in bytes, never 0
	References []StorePath // sorted, without duplicates
	Sigs       []string    // "<key name>:<base 64>", in the cache's order
	CA         string      // content address, as claimed; empty for an input-addressed path
}

// ParseNarInfo reads a narinfo. It is stricter than Nix where a fault could hide: a key given twice, a control character
// or a missing final newline (the sign of a cut-off body) is an error, and so is more than 1 MiB. Keys that decide
// nothing here are skipped, and so are unknown ones, since Nix adds some now and then.
// Source: NarInfo's constructor in libstore/nar-info.cc.
func ParseNarInfo(body []byte) (NarInfo, error) {
	var n NarInfo
	required := []string{"StorePath", "URL", "NarHash", "NarSize"}
	seen := map[string]bool{}
	err := eachField(body, true, func(key, value string) (err error) {
		if seen[key] && slices.Contains(append(required, "References", "CA"), key) {
			return errors.New("given twice")
		}
		seen[key] = true
		switch key {
		case "StorePath":
			n.StorePath, err = ParseStorePath(value)
		case "URL":
			if value == "" {
				err = errors.New("empty")
			}
		case "NarHash":
			n.NarHash, err = normalHash(value)
		case "NarSize":
			if n.NarSize, err = strconv.ParseUint(value, 10, 64); err == nil && n.NarSize == 0 {
				err = errors.New("zero")
			}
		case "References":
			n.References, err = parseReferences(value)
		case "Sig":
			n.Sigs = append(n.Sigs, value)
		case "CA":
			n.CA = value
		}
		return err
	})
	for _, key := range required {
		if err == nil && !seen[key] {
			err = fmt.Errorf("%s is missing", key)
		}
	}
	if err != nil {
		return NarInfo{}, fmt.Errorf("parse narinfo: %w", err)
	}
	return n, nil
}

// normalHash gives a sha256 hash in base 16, 32 or 64, or an SRI string, the form that fingerprints have.
func normalHash(text string) (string, error) {
	digest, ok := strings.CutPrefix(text, "sha256:")
	sri, isSRI := strings.CutPrefix(text, "sha256-")
	if !ok && !isSRI {
		return "", errors.New("not a sha256 hash")
	}
	var sum []byte
	var err error
	switch {
	case isSRI:
		sum, err = base64.StdEncoding.Strict().DecodeString(sri)
	case len(digest) == base64.StdEncoding.EncodedLen(sha256.Size):
		sum, err = base64.StdEncoding.Strict().DecodeString(digest)
	case len(digest) == hex.EncodedLen(sha256.Size):
		sum, err = hex.DecodeString(digest)
	case len(digest) == nix32Len && isNix32(digest) && digest[0] <= '1': // which holds the last bit
		return text, nil
	}
	if err != nil || len(sum) != sha256.Size {
		return "", errors.New("not a digest of sha256")
	}
	// The number whose least significant byte comes first, its most significant digit first.
	out := []byte("sha256:")
	for digit := nix32Len - 1; digit >= 0; digit-- {
		at, shift := digit*5/8, digit*5%8
		bits := sum[at] >> shift
		if at+1 < len(sum) {
			bits |= sum[at+1] << (8 - shift)
		}
		out = append(out, nix32[bits&0x1f])
	}
	return string(out), nil
}

func parseReferences(value string) ([]StorePath, error) {
	var refs []StorePath
	for base := range strings.FieldsSeq(value) {
		ref, err := parseBase(base)
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	slices.SortFunc(refs, func(a, b StorePath) int { return strings.Compare(a.base, b.base) })
	return slices.Compact(refs), nil
}

// fingerprint returns the text that signatures are made over: version, path, archive hash and size, and the references
// in order. Source: ValidPathInfo::fingerprint in libstore/path-info.cc.
func (n NarInfo) fingerprint() string {
	refs := make([]string, len(n.References))
	for i, ref := range n.References {
		refs[i] = ref.String()
	}
	return fmt.Sprintf("1;%s;%s;%d;%s", n.StorePath, n.NarHash, n.NarSize, strings.Join(refs, ","))
}

// eachField calls set for each "Key: value" line. With closed the last one must end in a newline, and none may be empty.
func eachField(body []byte, closed bool, set func(key, value string) error) error {
	if len(body) > maxNarInfo {
		return fmt.Errorf("larger than %d bytes", maxNarInfo)
	}
	if !utf8.Valid(body) {
		return errors.New("not text")
	}
	rest, ended := strings.CutSuffix(string(body), "\n")
	if closed && !ended {
		return errors.New("the last line is cut off")
	}
	number := 0
	for line := range strings.SplitSeq(rest, "\n") {
		number++
		if line == "" && !closed {
			continue
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fmt.Errorf("line %d: control character", number)
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok || key == "" || strings.ContainsAny(key, " <>\"{") {
			return fmt.Errorf("line %d: not of the form \"Key: value\"", number)
		}
		if err := set(key, strings.TrimPrefix(value, " ")); err != nil {
			return fmt.Errorf("line %d: %s: %w", number, key, err)
		}
	}
	return nil
}

// PublicKey is one entry of trusted-public-keys.
type PublicKey struct {
	Name string
	key  ed25519.PublicKey
}

// nixOSKey is the key of cache.nixos.org, which is in Nix's built-in settings.
const nixOSKey = "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="

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

// signedBy returns the name of a key that signed the narinfo. As in Nix, a signature counts only under the key of its name.
func (n NarInfo) signedBy(keys []PublicKey) (string, bool) {
	fingerprint := []byte(n.fingerprint())
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

// Digests as Nix writes them.

package bincache

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// nix32 is Nix's base-32 alphabet; e, o, t and u are left out.
const nix32 = "0123456789abcdfghijklmnpqrsvwxyz"

func isNix32(s string) bool {
	for i := range len(s) {
		if strings.IndexByte(nix32, s[i]) < 0 {
			return false
		}
	}
	return true
}

func nix32Len(bytes int) int { return (bytes*8 + 4) / 5 }

// encodeNix32 writes Nix's base 32: least significant bits last, read from the end.
func encodeNix32(b []byte) string {
	out := make([]byte, nix32Len(len(b)))
	for n := range out {
		bit := (len(out) - 1 - n) * 5
		i, shift := bit/8, bit%8
		c := b[i] >> shift
		if i+1 < len(b) {
			c |= b[i+1] << (8 - shift)
		}
		out[n] = nix32[c&0x1f]
	}
	return string(out)
}

func decodeNix32(s string, bytes int) ([]byte, error) {
	if len(s) != nix32Len(bytes) {
		return nil, errors.New("wrong length")
	}
	out := make([]byte, bytes)
	for n := range len(s) {
		digit := strings.IndexByte(nix32, s[len(s)-1-n])
		if digit < 0 {
			return nil, fmt.Errorf("%q is not a base-32 digit", s[len(s)-1-n])
		}
		i, shift := n*5/8, n*5%8
		out[i] |= byte(digit << shift)
		carry := digit >> (8 - shift)
		switch {
		case i+1 < bytes:
			out[i+1] |= byte(carry)
		case carry != 0:
			return nil, errors.New("bits beyond the end")
		}
	}
	return out, nil
}

// nixHash is a digest with its algorithm.
type nixHash struct {
	algo string
	sum  []byte
}

// parseNixHash reads "algo:digest" with the digest in base 16, 32 or 64, and "algo-base64", as Nix's parseAnyPrefixed.
func parseNixHash(s string) (nixHash, error) {
	at := strings.IndexAny(s, ":-")
	if at < 0 {
		return nixHash{}, errors.New("a hash needs its algorithm in front")
	}
	algo, digest := s[:at], s[at+1:]
	size := 0
	switch algo {
	case "md5":
		size = 16
	case "sha1":
		size = 20
	case "sha256", "blake3":
		size = 32
	case "sha512":
		size = 64
	default:
		return nixHash{}, fmt.Errorf("unknown hash algorithm %.20q", algo)
	}
	var sum []byte
	var err error
	switch {
	case len(digest) == base64.StdEncoding.EncodedLen(size):
		sum, err = base64.StdEncoding.Strict().DecodeString(digest)
	case s[at] == '-':
		err = errors.New("wrong length")
	case len(digest) == hex.EncodedLen(size):
		sum, err = hex.DecodeString(digest)
	default:
		sum, err = decodeNix32(digest, size)
	}
	if err == nil && len(sum) != size {
		err = errors.New("wrong length")
	}
	if err != nil {
		return nixHash{}, fmt.Errorf("decode %s hash: %w", algo, err)
	}
	return nixHash{algo: algo, sum: sum}, nil
}

// String is the form narinfos and fingerprints use.
func (h nixHash) String() string { return h.algo + ":" + encodeNix32(h.sum) }

// base16 is the form store paths are computed from.
func (h nixHash) base16() string { return h.algo + ":" + hex.EncodeToString(h.sum) }

// Digests as Nix writes them.

package bincache

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

const (
	nix32   = "0123456789abcdfghijklmnpqrsvwxyz" // the digits of Nix's base 32; e, o, t and u are left out
	plain32 = "0123456789abcdefghijklmnopqrstuv" // those of math/big
)

func isNix32(s string) bool { return strings.Trim(s, nix32) == "" }

func nix32Len(bytes int) int { return (bytes*8 + 4) / 5 }

// encodeNix32 writes the number whose least significant byte comes first.
func encodeNix32(b []byte) string {
	number := slices.Clone(b)
	slices.Reverse(number)
	digits := strings.TrimLeft(new(big.Int).SetBytes(number).Text(32), "0")
	return strings.Repeat("0", nix32Len(len(b))-len(digits)) + redigit(digits, plain32, nix32)
}

func decodeNix32(s string, bytes int) ([]byte, error) {
	if len(s) != nix32Len(bytes) {
		return nil, errors.New("wrong length")
	}
	if !isNix32(s) {
		return nil, errors.New("not base 32")
	}
	number, _ := new(big.Int).SetString("0"+redigit(s, nix32, plain32), 32)
	if number.BitLen() > bytes*8 {
		return nil, errors.New("bits beyond the end")
	}
	out := number.FillBytes(make([]byte, bytes))
	slices.Reverse(out)
	return out, nil
}

// redigit writes digits of one alphabet in those of another.
func redigit(digits, from, to string) string {
	return strings.Map(func(r rune) rune { return rune(to[strings.IndexRune(from, r)]) }, digits)
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

// Store paths, by Nix's own rules.

package bincache

import (
	"errors"
	"fmt"
	"strings"
)

// StoreDir is the only store directory this program deals in.
const StoreDir = "/nix/store"

const (
	hashLen     = 32  // characters of a store path's hash part
	maxNameLen  = 211 // Nix's StorePath::MaxPathLen
	placeholder = 52  // characters of a placeholder's hash

	nix32     = "0123456789abcdfghijklmnpqrsvwxyz" // the digits of Nix's base 32; e, o, t and u are left out
	nameChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._?="
)

var errPlaceholder = errors.New("the store path is a placeholder: a content-addressed output has no path before it is built")

// StorePath is a valid direct child of StoreDir. The zero value is no path; values can be compared with ==.
type StorePath struct{ base string }

// ParseStorePath reads an absolute store path. It holds to Nix's own rules (checkName in libstore/path.cc), so that a
// path never needs escaping in a URL, a header or a log.
func ParseStorePath(s string) (StorePath, error) {
	if len(s) == placeholder+1 && s[0] == '/' && isNix32(s[1:]) {
		return StorePath{}, errPlaceholder
	}
	base, ok := strings.CutPrefix(s, StoreDir+"/")
	if !ok {
		return StorePath{}, fmt.Errorf("%.100q is not below %s", s, StoreDir)
	}
	return parseBase(base)
}

// parseBase reads "<hash>-<name>".
func parseBase(base string) (StorePath, error) {
	if len(base) < hashLen+2 || base[hashLen] != '-' || !isNix32(base[:hashLen]) {
		return StorePath{}, fmt.Errorf("%.100q is not a store path: it does not start with a hash of %d characters and a dash", base, hashLen)
	}
	name := base[hashLen+1:]
	if len(name) > maxNameLen {
		return StorePath{}, fmt.Errorf("%.100q is not a store path: its name is longer than %d characters", base, maxNameLen)
	}
	if odd := strings.Trim(name, nameChars); odd != "" {
		return StorePath{}, fmt.Errorf("%.300q is not a store path: its name holds %q", base, odd[0])
	}
	if first, _, _ := strings.Cut(name, "-"); first == "." || first == ".." {
		return StorePath{}, fmt.Errorf("%.300q is not a store path: its name starts with %q", base, first)
	}
	return StorePath{base: base}, nil
}

// String returns the absolute path.
func (p StorePath) String() string { return StoreDir + "/" + p.base }

// Hash returns the 32 characters a binary cache looks the path up by.
func (p StorePath) Hash() string { return p.base[:hashLen] }

func isNix32(s string) bool { return strings.Trim(s, nix32) == "" }

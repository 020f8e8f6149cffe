package bincache

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

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

package settings

import (
	"encoding/base64"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// deadCache is the host of garnix's own cache, which went with it on 2026-07-15.
const deadCache = "cache.garnix.io"

var (
	readURL   = regexp.MustCompile(`^https?://[A-Za-z0-9._~:/%@+,\[\]-]+$`)
	pushURL   = regexp.MustCompile(`^[a-z0-9-]+://[A-Za-z0-9._~:/?&=%@+,\[\]-]+$`)
	publicKey = regexp.MustCompile(`^[A-Za-z0-9._-]+:([A-Za-z0-9+/]+=*)$`)
)

func withoutSlash(address string) string { return strings.TrimRight(address, "/") }

// lastPart returns the last part of an address's path; without one it is no name.
func lastPart(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return path.Base(parsed.Path)
}

// checkReadURL accepts what Nix and plain HTTP can both read.
func checkReadURL(text string) *problem {
	parsed, err := url.Parse(text)
	switch {
	case err == nil && parsed.User != nil:
		return secretProblem("remove what stands before the @ and name a secret in token-secret")
	case err != nil || !readURL.MatchString(text) || parsed.Hostname() == "":
		return &problem{code: "bad-value", hint: `for example "https://cache.example.org"`,
			message: "must be an http or https address without query and fragment"}
	case strings.EqualFold(parsed.Hostname(), deadCache):
		return deadCacheProblem()
	}
	return nil
}

// checkPushURL accepts the stores that "nix copy --to" can write from a runner.
func checkPushURL(text string) *problem {
	parsed, err := url.Parse(text)
	if err == nil && parsed.User != nil {
		if _, ok := parsed.User.Password(); ok || !strings.HasPrefix(parsed.Scheme, "ssh") {
			return secretProblem("remove what stands before the @ and name secrets instead")
		}
	}
	local := err == nil && parsed.Scheme == "file"
	switch {
	case err != nil || !pushURL.MatchString(text) ||
		!slices.Contains([]string{"s3", "file", "ssh", "ssh-ng", "http", "https"}, parsed.Scheme) ||
		local != (parsed.Hostname() == "") || (local && len(parsed.Path) < 2):
		return &problem{code: "bad-value", hint: `for example "s3://bucket?region=eu-central-1", "ssh-ng://user@host" or "file:///srv/cache"`,
			message: "must be a store that nix copy can write: s3, ssh-ng, ssh, http, https or file with an absolute path"}
	case strings.EqualFold(parsed.Hostname(), deadCache):
		return deadCacheProblem()
	}
	return nil
}

func deadCacheProblem() *problem {
	return &problem{code: "dead-cache", hint: "name the cache that replaces it", message: "names garnix's cache, which is gone"}
}

// checkPublicKey never repeats the text, which may be the secret half.
func checkPublicKey(text string) *problem {
	const size, secretSize = 32, 64 // bytes of an Ed25519 key
	if found := publicKey.FindStringSubmatch(text); found != nil {
		key, err := base64.StdEncoding.Strict().DecodeString(found[1])
		switch {
		case err == nil && len(key) == size && strings.HasPrefix(text, deadCache+":"):
			return deadCacheProblem()
		case err == nil && len(key) == size:
			return nil
		case err == nil && len(key) == secretSize:
			return secretProblem("this is the secret half: make a new key pair, and put the public half here")
		}
	}
	return &problem{code: "bad-value", hint: "copy it from the cache's page, with the name before the colon",
		message: `must be a public key of the form "name-1:base64"`}
}

package cachix

import (
	"regexp"
	"strings"
)

// signingKey is a nix public key: a name, a colon and 32 bytes in base64.
var signingKey = regexp.MustCompile(`^[A-Za-z0-9._-]+:[A-Za-z0-9+/]{43}=$`)

// trustedKeys are the cache's keys that have a key's shape; anything else must not reach a flake or a settings file.
func trustedKeys(cache BinaryCache) []string {
	var keys []string
	for _, key := range cache.PublicSigningKeys {
		if signingKey.MatchString(key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// NixConfigLines are the lines for flake.nix that let users of the flake take from the cache; nil while the cache has
// no address or no key.
func NixConfigLines(cache BinaryCache) []string {
	keys := trustedKeys(cache)
	if cache.URI == "" || len(keys) == 0 {
		return nil
	}
	lines := []string{
		"nixConfig = {",
		"  extra-substituters = [ " + nixString(cache.URI) + " ];",
		"  extra-trusted-public-keys = [",
	}
	for _, key := range keys {
		lines = append(lines, "    "+nixString(key))
	}
	return append(lines, "  ];", "};")
}

// SettingsLines are the lines for .github/garnix2gha/config.yaml that name the cache.
func SettingsLines(cache BinaryCache) []string {
	lines := []string{"cache:", "  backend: cachix", `  name: "` + cache.Name + `"`}
	if keys := trustedKeys(cache); len(keys) > 0 {
		lines = append(lines, "  public-key: "+keys[0])
	}
	return lines
}

// secretStep asks for the token and shows it nowhere.
const secretStep = "gh secret set CACHIX_AUTH_TOKEN"

// SecretSteps are the commands that tell GitHub's Actions about the cache.
func SecretSteps(name string) []string {
	return []string{variableStep(name), secretStep}
}

func variableStep(name string) string { return "gh variable set CACHIX_CACHE_NAME --body " + name }

// tokenStep is how to come by a token that is right for CI.
func (c Client) tokenStep(name string) string {
	return "make a token for this cache alone, with write permission and an expiry date: " + c.web("/cache/"+name) + ", Settings, Auth Tokens"
}

// nixString quotes text as a Nix string.
func nixString(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `${`, `\${`).Replace(text) + `"`
}

// afterCreation is what is left to do once the cache is there.
func (c Client) afterCreation(cache BinaryCache) []string {
	return append([]string{c.tokenStep(cache.Name)}, SecretSteps(cache.Name)...)
}

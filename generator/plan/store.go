package plan

import (
	"fmt"
	"net/url"
	"strings"

	"garnix2gha/generator/settings"
)

// Where the cache's client comes from: one commit of nixpkgs (nixos-25.11 of 2026-05-10), checked by its hash, so that
// no mutable address is run. Its build is in cache.nixos.org for every system.
const (
	nixpkgsCommit = "8fd9daa3db09ced9700431c5b7ad0e8ba199b575"
	nixpkgsHash   = "sha256-Ti+ZBvW6yrWWAg2szExVTwCd4qOJ3KlVr1tFHfyfi8Q="
)

func client(attribute string) string {
	return fmt.Sprintf("nix profile install 'github:NixOS/nixpkgs/%s?narHash=%s#%s'", nixpkgsCommit, url.QueryEscape(nixpkgsHash), attribute)
}

// store says how workflows reach the cache.
func store(c settings.Cache) Store {
	out := Store{URL: c.URL, Upstreams: strings.Join(c.Upstreams, " "), Private: c.Private, Secrets: map[string]string{}}
	var needed []string
	secret := func(variable, name string) {
		if name != "" {
			out.Secrets[variable] = "${{ secrets." + name + " }}"
			needed = append(needed, "secrets."+name+" != ''")
		}
	}
	switch b := c.Backend.(type) {
	case settings.Cachix:
		out.Backend, out.Name, out.Install = "cachix", b.Name, client("cachix")
		if b.Name == "" {
			out.Name = "${{ vars." + b.NameVariable + " }}"
		}
		if c.URL == "" {
			out.URL = fmt.Sprintf("${{ vars.%s != '' && format('https://{0}.cachix.org', vars.%s) || '' }}", b.NameVariable, b.NameVariable)
		}
		secret("CACHIX_AUTH_TOKEN", c.TokenSecret)
		secret("CACHIX_SIGNING_KEY", b.SigningKeySecret)
	case settings.Store:
		out.Backend, out.PushURL = "nix", b.PushURL
		secret("NIX_SIGNING_KEY", b.SigningKeySecret)
		if b.S3 != nil {
			secret("AWS_ACCESS_KEY_ID", b.S3.AccessKey)
			secret("AWS_SECRET_ACCESS_KEY", b.S3.SecretKey)
		}
	case settings.Attic:
		out.Backend, out.Name, out.Server, out.Install = "attic", b.Name, b.Server, client("attic-client")
		secret("ATTIC_TOKEN", c.TokenSecret)
	}
	out.HasToken = "true"
	if len(needed) > 0 {
		out.HasToken = "${{ " + strings.Join(needed, " && ") + " }}"
	}
	if c.TokenSecret != "" {
		out.ReadSecret = "secrets." + c.TokenSecret
	}
	return out
}

// nix says how Nix is installed: garnix's limits and features, written out in full, because the installers leave out
// their own as soon as they see one.
func nix(s *settings.Settings) Nix {
	features := append([]string{"nix-command", "flakes", "pipe-operators", "fetch-closure", "recursive-nix"}, s.Nix.ExtraFeatures...)
	lines := []string{
		"experimental-features = " + strings.Join(features, " "),
		"accept-flake-config = false",
		"use-registries = false",
		"connect-timeout = 10",
		"fallback = true",
		"max-silent-time = 3600",
		"timeout = 7200",
	}
	if _, cachix := s.Cache.Backend.(settings.Cachix); !cachix && len(s.Cache.PublicKeys) > 0 && !s.Cache.Private {
		lines = append(lines,
			"extra-substituters = "+s.Cache.URL,
			"extra-trusted-public-keys = "+strings.Join(s.Cache.PublicKeys, " "))
	}
	text := strings.Join(append(lines, s.Nix.ExtraConfig...), "\n") + "\n"

	conf, token := "extra_nix_config", "github_access_token"
	switch s.Nix.Installer {
	case settings.DeterminateNixAction:
		conf, token = "extra-conf", "github-token"
	case settings.QuickInstallAction:
		conf = "nix_conf"
	}
	with := map[string]string{conf: text}
	if s.Nix.AccessTokenSecret != "" {
		with[token] = fmt.Sprintf("${{ secrets.%s || github.token }}", s.Nix.AccessTokenSecret)
	}
	if s.Nix.InstallURL != "" {
		with["install_url"] = s.Nix.InstallURL
	}
	return Nix{With: with}
}

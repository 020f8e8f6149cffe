package plan

import (
	"fmt"
	"maps"
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

// client is the installable of a backend's client; nix itself needs none.
func client(backend string) string {
	attribute, ok := map[string]string{settings.Cachix: "cachix", settings.Attic: "attic-client"}[backend]
	if !ok {
		return ""
	}
	return fmt.Sprintf("github:NixOS/nixpkgs/%s?narHash=%s#%s", nixpkgsCommit, url.QueryEscape(nixpkgsHash), attribute)
}

// store names what workflows need to read and write the cache.
func store(c settings.Cache) Store {
	out := Store{Push: map[string]string{"AWS_ACCESS_KEY_ID": c.AccessKeySecret, "AWS_SECRET_ACCESS_KEY": c.SecretKeySecret}}
	switch c.Backend {
	case settings.Cachix:
		out.Push["CACHIX_AUTH_TOKEN"], out.Push["CACHIX_SIGNING_KEY"] = c.TokenSecret, c.SigningKeySecret
		if c.Name == "" {
			out.Variable = c.NameVariable
		}
	case settings.NixCopy:
		out.Push["NIX_SIGNING_KEY"] = c.SigningKeySecret
	case settings.Attic:
		out.Push["ATTIC_TOKEN"] = c.TokenSecret
	}
	maps.DeleteFunc(out.Push, func(_, secret string) bool { return secret == "" })
	if c.Private {
		out.Read = c.TokenSecret
	}
	return out
}

// installer is an action that installs Nix, and what it calls nix.conf and the token for GitHub's API.
type installer struct{ action, conf, token string }

func installers() map[string]installer {
	return map[string]installer{
		settings.InstallNixAction:     {"cachix/install-nix-action", "extra_nix_config", "github_access_token"},
		settings.DeterminateNixAction: {"DeterminateSystems/determinate-nix-action", "extra-conf", "github-token"},
		settings.QuickInstallAction:   {"nixbuild/nix-quick-install-action", "nix_conf", "github_access_token"},
	}
}

// install says how Nix is installed, with all features, because the installers leave out their own once they see one.
func install(s *settings.Settings) map[string]string {
	features := append([]string{"nix-command", "flakes", "pipe-operators", "fetch-closure", "recursive-nix"}, s.Nix.ExtraFeatures...)
	by := installers()[s.Nix.Installer]
	with := map[string]string{by.conf: "experimental-features = " + strings.Join(features, " ")}
	if s.Nix.AccessTokenSecret != "" {
		with[by.token] = fmt.Sprintf("${{ secrets.%s || github.token }}", s.Nix.AccessTokenSecret)
	}
	if s.Nix.InstallURL != "" {
		with["install_url"] = s.Nix.InstallURL
	}
	return with
}

// nixLines are garnix's limits and what else holds for every nix of a run.
func nixLines(s *settings.Settings) []string {
	return append([]string{
		"accept-flake-config = false",
		"use-registries = false",
		"connect-timeout = 10",
		"fallback = true",
		"max-silent-time = 3600",
		"timeout = 7200",
	}, s.Nix.ExtraConfig...)
}

package settings

import (
	"net/url"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// Nix is how Nix comes onto a runner and how it is configured.
type Nix struct {
	Installer   Installer
	InstallURL  string   // of the installer script that InstallNixAction runs; "" means its default
	ExtraConfig []string // lines of nix.conf, without blank lines and comments

	// ExtraFeatures are experimental features on top of those that garnix had.
	ExtraFeatures []string

	// AccessTokenSecret names the secret with a token that reads private github inputs; "" means none.
	AccessTokenSecret string
}

// Installer is the action that installs Nix.
type Installer string

// The installers.
const (
	InstallNixAction     Installer = "cachix"      // cachix/install-nix-action
	DeterminateNixAction Installer = "determinate" // DeterminateSystems/determinate-nix-action
	QuickInstallAction   Installer = "quick"       // nixbuild/nix-quick-install-action
)

var featureName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

func (p *parser) nix(v value, n *Nix) {
	p.mapping(v, fields{
		"installer":   func(v value) { choice(p, v, &n.Installer, InstallNixAction, DeterminateNixAction, QuickInstallAction) },
		"install-url": func(v value) { p.text(v, &n.InstallURL, orEmpty(checkInstallURL)) },
		"extra-config": func(v value) {
			n.ExtraConfig = p.nixConfig(v)
		},
		"extra-features": func(v value) {
			n.ExtraFeatures, _ = p.texts(v, false, checkFeature)
		},
		"access-token-secret": func(v value) { p.text(v, &n.AccessTokenSecret, orEmpty(checkSecretName)) },
	})
	if n.InstallURL != "" && n.Installer != InstallNixAction {
		p.fault("nix.install-url", "unused-setting", "remove it, or set nix.installer to cachix",
			"nix.install-url has no effect with installer %s", string(n.Installer))
	}
}

// checkInstallURL wants https: the script runs as root.
func checkInstallURL(text string) *problem {
	parsed, err := url.Parse(text)
	switch {
	case err == nil && parsed.User != nil:
		return secretProblem("remove what stands before the @")
	case err != nil || !readURL.MatchString(text) || parsed.Scheme != "https" || parsed.Hostname() == "":
		return &problem{code: "bad-value", hint: `for example "https://releases.nixos.org/nix/nix-2.35.1/install"`,
			message: "must be an https address without query and fragment"}
	}
	return nil
}

func checkFeature(text string) *problem {
	if !featureName.MatchString(text) {
		return &problem{code: "bad-value", hint: `for example "ca-derivations"`, message: "must be the name of one experimental feature"}
	}
	return nil
}

// nixConfig reads lines of nix.conf as Nix does: words between blanks, of which the second is "=".
func (p *parser) nixConfig(v value) []string {
	if !p.expect(v, yaml.ScalarNode, "!!str") || !p.clean(v, "\n") {
		return nil
	}
	var lines []string
	for i, line := range strings.Split(v.node.Value, "\n") {
		text, _, _ := strings.Cut(line, "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		at := p.pos(v.node)
		if v.node.Style&yaml.LiteralStyle != 0 {
			at.Line, at.Column = v.node.Line+1+i, 0
		}
		if bad := checkNixLine(words); bad != nil {
			p.faulty[v.path] = true
			p.diags.Errorf(at, bad.code, bad.hint, "%s %s", v.path, bad.message)
			continue
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

// checkNixLine refuses what would undo the trust that the workflows are built on.
func checkNixLine(words []string) *problem {
	if len(words) < 2 || words[1] != "=" {
		return &problem{code: "nix-config-line", hint: "put a space on each side of the equals sign, and use no include",
			message: `has a line that is not "name = value"`}
	}
	setting, values := strings.TrimPrefix(words[0], "extra-"), words[2:]
	switch setting {
	case "accept-flake-config":
		if len(values) != 1 || values[0] != "false" {
			return &problem{code: "accept-flake-config", hint: "put the caches and keys that the flake needs into extra-config itself",
				message: "must not accept the configuration of a flake: a pull request could then change any setting of Nix"}
		}
	case "experimental-features":
		return &problem{code: "experimental-features", hint: "list the features in nix.extra-features",
			message: "must not set experimental features: the line would replace those that the build needs"}
	case "access-tokens":
		return secretProblem("put the token into an Actions secret and its name into nix.access-token-secret")
	}
	for _, text := range values {
		if strings.Contains(text, deadCache) {
			return deadCacheProblem()
		}
	}
	return nil
}

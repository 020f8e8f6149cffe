package flake_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"garnix2gha/generator/flake"
)

func TestAttrPathIsBuiltAndReportedAsGarnixDid(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path, build, check string
		system             flake.System
	}{
		{path: "packages.x86_64-linux.hello", build: "packages.x86_64-linux.hello", check: "package hello [x86_64-linux]", system: flake.X8664Linux},
		{path: "checks.aarch64-darwin.fmt", build: "checks.aarch64-darwin.fmt", check: "check fmt [aarch64-darwin]", system: flake.AArch64Darwin},
		{path: "devShells.i686-linux.default", build: "devShells.i686-linux.default", check: "devShell default [i686-linux]", system: flake.I686Linux},
		{path: "devShell.x86_64-darwin", build: "devShell.x86_64-darwin", check: "default devShell [x86_64-darwin]", system: flake.X8664Darwin},
		{path: "defaultPackage.aarch64-linux", build: "defaultPackage.aarch64-linux", check: "default package [aarch64-linux]", system: flake.AArch64Linux},
		{path: "nixosConfigurations.web", build: "nixosConfigurations.web.config.system.build.toplevel", check: "nixosConfig web"},
		{path: "darwinConfigurations.mac", build: "darwinConfigurations.mac.config.system.build.toplevel", check: "darwinConfig mac"},
		{path: "homeConfigurations.me@host", build: "homeConfigurations.me@host.activationPackage", check: "homeConfig me@host"},
		{path: "apps.x86_64-linux.run", build: "apps.x86_64-linux.run", check: "apps.x86_64-linux.run", system: flake.X8664Linux},
	}
	for _, tc := range tests {
		t.Run(tc.path, func(t *testing.T) {
			t.Parallel()
			p := path(tc.path)
			assert.Equal(t, tc.path, p.String())
			assert.Equal(t, tc.build, strings.Join(p.Build(), "."))
			assert.Equal(t, tc.check, p.CheckName())
			assert.Equal(t, tc.system, p.System())
			assert.Equal(t, tc.path[strings.LastIndex(tc.path, ".")+1:], p.Name())
		})
	}
}

func TestAttrPathKeepsNamesWithDotsWhole(t *testing.T) {
	t.Parallel()
	p := flake.AttrPath{First: "nixosConfigurations", Second: "web.lan"}
	assert.Equal(t, []string{"nixosConfigurations", "web.lan"}, p.Parts())
	assert.Equal(t, []string{"nixosConfigurations", "web.lan", "config", "system", "build", "toplevel"}, p.Build())
}

func TestFamiliesHaveShapes(t *testing.T) {
	t.Parallel()
	for _, f := range flake.Families() {
		assert.NotEqual(t, flake.Unlisted, f.Shape(), f)
	}
	for _, f := range []flake.Family{"apps", "formatter", "legacyPackages", "hydraJobs", "overlays", "", "Packages"} {
		assert.Equal(t, flake.Unlisted, f.Shape(), f)
	}
}

func TestSystems(t *testing.T) {
	t.Parallel()
	for _, s := range flake.Systems() {
		assert.True(t, s.Supported(), s)
		assert.Equal(t, s == flake.AArch64Darwin || s == flake.X8664Darwin, s.Darwin(), s)
	}
	assert.False(t, flake.System("armv7l-linux").Supported())
	assert.False(t, flake.System("").Supported())
}

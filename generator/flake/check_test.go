package flake

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGarnixCheck(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Check{
		"All Garnix checks":                    CommitCheck,
		"Evaluate flake.nix":                   CommitCheck,
		"FOD checks":                           CommitCheck,
		"Garnix module publish":                CommitCheck,
		"package hello [x86_64-linux]":         TargetCheck,
		"check a b \"c\" [d] [aarch64-darwin]": TargetCheck,
		"devShell default [i686-linux]":        TargetCheck,
		"default package [x86_64-linux]":       TargetCheck,
		"default devShell [x86_64-linux]":      TargetCheck,
		"nixosConfig web":                      TargetCheck,
		"homeConfig ann@home":                  TargetCheck,
		"darwinConfig mac":                     TargetCheck,
		"app deploy":                           ActionCheck,
		"action deploy":                        ActionCheck,
		"deployment plan":                      ActionCheck,
		"redeployment web":                     ActionCheck,
		"":                                     "",
		"all garnix checks":                    "",
		"All Garnix checks (push)":             "",
		"Evaluate flakeXnix":                   "",
		"package hello":                        "",
		"package [x86_64-linux]":               "",
		"test / package hello [x86_64-linux]":  "",
		"package hello [x86_64-linux] (push)":  "",
		"check spelling":                       "",
		"check fmt [ubuntu-latest]":            "",
		"nixosConfig":                          "",
		"nixosConfigs all":                     "",
		"build (ubuntu-24.04)":                 "",
		"apps deploy":                          "",
	} {
		assert.Equal(t, want, GarnixCheck(name), name)
	}
}

func TestEveryTargetsCheckIsKnown(t *testing.T) {
	t.Parallel()
	for _, family := range Families() {
		path := AttrPath{First: family, Second: "web"}
		switch family.Shape() {
		case PerSystem:
			path.Second, path.Third = "x86_64-linux", "hello world"
		case Direct:
			path.Second = "x86_64-linux"
		}
		assert.Equal(t, TargetCheck, GarnixCheck(path.CheckName()), path.CheckName())
	}
}

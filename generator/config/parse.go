package config

import (
	"encoding/json"
	"fmt"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

// Parse decodes the text of a garnix.yaml; an empty one gives the defaults. file is its path relative to the
// repository root. If there is an error, which garnix would have failed on too, the Config is nil; the diagnostics
// list every problem, sorted.
func Parse(file string, src []byte) (*Config, diag.List) {
	var diags diag.List
	root := readYAML(file, src, &diags)
	if root == nil {
		return nil, diags.Sorted()
	}
	broken := diags.HasErrors()
	c, decoded := decode(FromFile, file, root, budgetOf(src))
	diags = append(diags, decoded...).Sorted()
	if broken {
		return nil, diags
	}
	return c, diags
}

// ParseFlakeConfig decodes the JSON of the flake output garnix.config as Parse does; null gives the defaults.
// Its positions name the file only.
func ParseFlakeConfig(file string, value json.RawMessage) (*Config, diag.List) {
	root, err := readJSON(file, value)
	if err != nil {
		var diags diag.List
		diags.Errorf(diag.Pos{File: file}, "json-syntax", "", "garnix.config is not JSON: %s", err)
		return nil, diags
	}
	c, diags := decode(FromFlake, file, root, budgetOf(value))
	return c, diags.Sorted()
}

// Source is everything a configuration may come from.
type Source struct {
	File string // of YAML, relative to the repository root
	YAML []byte // the text of garnix.yaml; nil if there is no such file

	// Lock, if any, tells the flake output garnix.config, and under Errors["garnix.config"] why it does not evaluate.
	Lock *flake.Lock
}

// Resolve finds the configuration that garnix would have used: the flake's if it evaluates and decodes, else
// garnix.yaml, else the default one. The Config is nil only if garnix.yaml is used and has errors.
func Resolve(s Source) (*Config, diag.List) {
	const flakeFile = "flake.nix"
	var diags diag.List
	if s.Lock != nil {
		c, found, ignored := fromFlake(flakeFile, s.Lock)
		switch {
		case c != nil:
			if s.YAML != nil {
				found.Warnf(diag.Pos{File: s.File}, "config-hidden", "remove one of the two",
					"garnix never read this file, because the flake has an output garnix.config")
			}
			return c, found.Sorted()
		case ignored != "":
			used := "its defaults"
			if s.YAML != nil {
				used = s.File
			}
			diags.Warnf(diag.Pos{File: flakeFile}, "flake-config-ignored", "correct the output garnix.config or remove it",
				"garnix ignored the flake's garnix.config and used %s: %s", used, ignored)
		}
	}
	if s.YAML == nil {
		return Default(), diags
	}
	c, found := Parse(s.File, s.YAML)
	return c, append(diags, found...).Sorted()
}

// fromFlake decodes the flake's garnix.config. If there is one and garnix could not use it, ignored says why.
func fromFlake(file string, lock *flake.Lock) (c *Config, found diag.List, ignored string) {
	for _, path := range []string{"garnix", "garnix.config"} {
		if message := lock.Errors[path]; message != "" {
			return nil, nil, "it does not evaluate: " + diag.Excerpt(message)
		}
	}
	if lock.GarnixConfig == nil {
		return nil, nil, ""
	}
	if c, found = ParseFlakeConfig(file, lock.GarnixConfig); c != nil {
		return c, found, ""
	}
	for _, d := range found {
		if d.Severity == diag.Error {
			ignored = fmt.Sprintf("%s [%s]", d.Message, d.Code)
			break
		}
	}
	return nil, nil, ignored
}

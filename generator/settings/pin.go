package settings

import (
	"regexp"

	"garnix2gha/generator/diag"

	"gopkg.in/yaml.v3"
)

// Pin is the commit of an action that is used instead of the one this program knows.
type Pin struct {
	SHA     string // 40 lower-case hexadecimal digits
	Version string // for the comment beside it; "" means none
}

var (
	actionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$`)
	commitSHA  = regexp.MustCompile(`^[0-9a-f]{40}$`)
	pinVersion = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+/-]{0,59}$`)
)

func (p *parser) pins(v value, dst map[string]Pin) {
	p.entries(v, func(key *yaml.Node, child value) {
		if !actionName.MatchString(key.Value) {
			p.faulty[child.path] = true
			p.diags.Errorf(p.pos(key), "bad-value", `for example "actions/checkout"`, "a key in pins must be owner/repository, not %s", diag.Excerpt(key.Value))
			return
		}
		dst[key.Value] = p.pin(child)
	})
}

// pin reads a commit alone, or a mapping of commit and version.
func (p *parser) pin(v value) Pin {
	var pin Pin
	if v.node.Kind == yaml.ScalarNode && v.node.ShortTag() != "!!null" {
		p.text(v, &pin.SHA, checkSHA)
		return pin
	}
	p.mapping(v, fields{
		"sha":     func(v value) { p.text(v, &pin.SHA, checkSHA) },
		"version": func(v value) { p.text(v, &pin.Version, checkVersion) },
	})
	if pin.SHA == "" && !p.faulty[v.path] && !p.faulty[v.path+".sha"] {
		p.fault(v.path, "missing-key", "give the commit of the action", "%s needs sha", v.path)
	}
	return pin
}

func checkSHA(text string) *problem {
	if !commitSHA.MatchString(text) {
		return &problem{code: "bad-value", hint: "tags and branches move; give the commit they point to", message: "must be a commit of 40 lower-case hexadecimal digits"}
	}
	return nil
}

func checkVersion(text string) *problem {
	if !pinVersion.MatchString(text) {
		return &problem{code: "bad-value", hint: `for example "v4.2.2"`, message: "must be a version of at most 60 letters, digits, dots and hyphens"}
	}
	return nil
}

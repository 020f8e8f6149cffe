package leftovers

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
)

// Replacement is the cache that takes garnix's place. Zero: nothing does, garnix is only taken out.
type Replacement struct {
	CacheURL   string   // as in substituters
	PublicKeys []string // as in trusted-public-keys: name:base64
}

// Edit is one file's new content. Secret: what goes holds credentials, so neither Old nor a diff may be shown.
type Edit struct {
	Path     string
	Old, New []byte
	Secret   bool
}

// What a replacement may hold: nothing that ends a string, a word or a line in Nix, nix.conf and YAML.
var (
	replacementURL = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://[A-Za-z0-9._~:/?&=%@+,-]+$`)
	replacementKey = regexp.MustCompile(`^[A-Za-z0-9._-]+:[A-Za-z0-9+/]+=*$`)
)

func (r Replacement) check() error {
	if r.CacheURL != "" && (!replacementURL.MatchString(r.CacheURL) || isCacheToken(r.CacheURL)) {
		return fmt.Errorf("replace garnix: %q is not the URL of a new cache", r.CacheURL)
	}
	for _, key := range r.PublicKeys {
		if !replacementKey.MatchString(key) || isCacheToken(key) {
			return fmt.Errorf("replace garnix: %q is not the public key of a new cache (name:base64)", key)
		}
	}
	return nil
}

// forSetting returns what belongs in a setting instead of garnix.
func (r Replacement) forSetting(name string) []string {
	switch {
	case isKeySetting(name):
		return slices.Clone(r.PublicKeys)
	case r.CacheURL != "":
		return []string{r.CacheURL}
	}
	return nil
}

// Fix computes what the files look like when the traces that Fix can mend are mended, Safe and Partly ones; others in
// traces are ignored. Files are read again and nothing is written. The edits are sorted by path; a file that would not
// change has none, so Fix after Fix returns nothing. A file that changed since Scan is mended where the lines of the
// traces still hold something to mend.
func Fix(fsys fs.FS, traces []Trace, r Replacement) ([]Edit, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	lines := map[string]map[int]bool{}
	for _, t := range traces {
		if t.Fix != Safe && t.Fix != Partly {
			continue
		}
		if lines[t.File] == nil {
			lines[t.File] = map[int]bool{}
		}
		lines[t.File][t.Line] = true
	}
	var names []string
	for name := range lines {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []Edit
	for _, name := range names {
		src, state, err := read(fsys, name)
		if err != nil {
			return nil, err
		}
		if state != searched {
			return nil, fmt.Errorf("mend %q: %w", name, errChanged)
		}
		if edit, ok := newDocument(name, src).edit(r, lines[name]); ok {
			out = append(out, edit)
		}
	}
	return out, nil
}

var errChanged = errors.New("no longer a text file that can be searched")

// edit mends the given lines, which count from 1.
func (d *document) edit(r Replacement, lines map[int]bool) (Edit, bool) {
	mentions := d.mentions()
	splices := d.plan(r, func(s span) bool {
		i, _ := slices.BinarySearchFunc(mentions, s.lo, func(m mention, at int) int { return m.at - at })
		for ; i < len(mentions) && mentions[i].at < s.hi; i++ {
			if lines[d.line(mentions[i].at)+1] {
				return true
			}
		}
		return false
	})
	if d.own || len(splices) == 0 {
		return Edit{}, false
	}
	secret := slices.ContainsFunc(splices, func(s splice) bool { return s.secret })
	return Edit{Path: d.path, Old: d.data, New: applied(d.data, splices), Secret: secret}, true
}

// plan returns what to change, in order and without overlaps.
func (d *document) plan(r Replacement, accept accepted) []splice {
	var out []splice
	switch d.class {
	case classNix:
		out = d.nixSplices(r, accept)
	case classNixConf:
		out = d.confSplices(span{0, len(d.data)}, r, accept)
	case classNetrc:
		out = d.netrcSplices(accept)
	case classMarkdown, classHTML, classOrg:
		out = d.badgeSplices(accept)
	}
	if isYAML(d.path) {
		out = append(out, d.yamlSplices(r, accept)...)
	}
	return settle(out)
}
